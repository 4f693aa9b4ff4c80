// SPDX-License-Identifier: Apache-2.0
// Runs programs beside this one with limits of time and output, and probes among them.
#pragma once

#include "validators/judge/container_tier.h"
#include "validators/judge/observation.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace img {

struct LimitedProgram {
  std::vector<std::string> argv;           ///< argv[0] is a path
  std::map<std::string, std::string> env;  ///< added to the environment
  std::vector<std::string> unset;          ///< removed from it
  std::chrono::seconds timeout{60};
  std::uint64_t stdout_bytes = 8ull << 20;  ///< more ends it
};
struct ProgramRun {
  RunEnd end = RunEnd::not_started;
  int exit_code = 0;  ///< 128 + signal when it was signalled
  std::string reason;
  std::string stdout_text;
  std::string stderr_tail;    ///< last 4 KiB
  std::int64_t began_ns = 0;  ///< monotonic
  double seconds = 0;
};
/// Never throws; kills the program's whole process group at its end.
ProgramRun run_limited(const LimitedProgram& program);

/// Runs a call's probe from `bundle` as the user that this process has: a container's own user is
/// what its programs run as, so `uid` is not looked at; nor is `memory_bytes`, the container has
/// its own limit.
ProbeRun run_call(const std::string& bundle, const ProbeCall& call);

}  // namespace img
