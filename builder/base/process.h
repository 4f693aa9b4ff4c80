// SPDX-License-Identifier: Apache-2.0
// Running other programs: exact environment, bounded output, timeout, interrupt.
#pragma once

#include "builder/base/file.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct ProcessSpec {
  std::vector<std::string> argv;           ///< argv[0]: absolute path, or a name looked up in PATH
  std::map<std::string, std::string> env;  ///< the whole environment; nothing is inherited
  fs::path cwd = "/";
  std::string stdin_text;     ///< ignored when stdin_file is set
  fs::path stdin_file = {};   ///< read from this file
  fs::path stdout_file = {};  ///< write standard output to this file (created)
  std::uint64_t output_limit = 64ull
                               << 20;  ///< of captured stdout and stderr each; more is an error
  std::chrono::seconds timeout{3600};  ///< then the process group is killed: UnavailableError
  std::function<void(std::string_view)> on_stderr_line = nullptr;  ///< for progress
};

struct ProcessResult {
  int exit_code = 0;  ///< 128 + signal when killed by one
  std::string stdout_text;
  std::string stderr_text;
};

/// Runs to the end; the child gets its own process group, which is killed (SIGTERM, two seconds
/// later SIGKILL) on timeout, on interruption of this program and when an exception passes. What
/// the program leaves running in its group is killed too. The child inherits no descriptors but the
/// standard ones, default signal handling, and the umask of this process. A program that cannot be
/// started is an UnavailableError; a non-zero exit is not an error here.
ProcessResult run_process(const ProcessSpec& spec);

/// run_process, and a non-zero exit is an UnavailableError with the last lines of stderr as
/// details.
ProcessResult run_checked(const ProcessSpec& spec, const std::string& what);

/// Absolute path of a program in PATH (or in /usr/sbin, /sbin), nullopt when there is none.
std::optional<fs::path> find_program(std::string_view name);
/// The same, or UnavailableError "cannot find program 'mmdebstrap'" with hint
/// "install it: <how_to_install>"; a single word is taken as a Debian package:
/// "install it: apt-get install mmdebstrap".
fs::path require_program(std::string_view name, std::string_view how_to_install);

}  // namespace img
