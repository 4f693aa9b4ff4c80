// SPDX-License-Identifier: Apache-2.0
// Runs a risky step in a process of its own: a crash or abort there is something seen, not the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace probe {

struct ChildEnd {
  enum class Kind { exited, signalled, timed_out } kind = Kind::exited;
  int code = 0;  ///< exit code, or number of the signal
  double seconds = 0;
  double cpu_seconds = 0;  ///< user and system, of the child and those it waited for
  std::int64_t minor_faults = 0, major_faults = 0;
  std::int64_t read_bytes = 0;     ///< that storage had to deliver
  std::int64_t max_rss_bytes = 0;  ///< of the largest process
  std::string stderr_tail;         ///< last 4 KiB
  std::string output;              ///< standard output of a program, first 4 MiB

  bool good() const { return kind == Kind::exited && code == 0; }
};

/// Runs `body` in a child; its exit code is what `body` returns. The parent must have one thread.
ChildEnd run_forked(const std::function<int()>& body, std::chrono::seconds timeout);

/// The same for `count` children at once, each with its index; ends in that order.
std::vector<ChildEnd> run_group(int count, const std::function<int(int)>& body,
                                std::chrono::seconds timeout);

struct Program {
  std::vector<std::string> argv;  ///< argv[0] is an absolute path
  std::vector<std::string> env;   ///< "NAME=value", added to the environment
  std::chrono::seconds timeout{60};
  bool writes_events = false;     ///< gets the descriptor of events as descriptor 3
  bool errors_in_output = false;  ///< standard error goes to `output`
};
ChildEnd run_program(const Program& program);

/// Why it ended ill, in one line: "does not end in time", "dies of signal 6", or the last line that
/// it wrote to standard error; empty when it ended well.
std::string why_ill(const ChildEnd& end);

/// {"event":"child","of":…,"end":…,"code":…,"seconds":…,"stderr":…}; stderr only when it ended ill.
void report(std::string_view of, const ChildEnd& end);

}  // namespace probe
