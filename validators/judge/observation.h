// SPDX-License-Identifier: Apache-2.0
// What a probe saw: its events and its end, as untrusted text from inside an image.
#pragma once

#include "builder/base/json.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// How one run of a probe ended.
enum class RunEnd {
  exited,        ///< by itself; `exit_code`
  signalled,     ///< `exit_code` is 128 + signal
  timed_out,     ///< killed at its time limit
  output_limit,  ///< killed because it wrote more than it may
  not_started,   ///< `reason` says why
};
std::string_view to_string(RunEnd end);

/// One run. Events are the objects of the NDJSON that the probe wrote to standard output; a line
/// that is no JSON object within limits is not an event but counted in `broken_lines`.
struct ProbeRun {
  std::string probe;  ///< "versions"
  std::string label;  ///< which call of the plan it answers: "versions", "load:python", …
  RunEnd end = RunEnd::not_started;
  int exit_code = 0;
  std::string reason;        ///< for not_started, timed_out, output_limit
  std::vector<Json> events;  ///< each has "event": string
  std::uint64_t broken_lines = 0;
  bool complete = false;     ///< the last event is {"event":"end"}: nothing was cut off
  std::string stderr_tail;   ///< last 4 KiB
  double seconds = 0;        ///< wall clock, start of the runtime to its end
  double start_seconds = 0;  ///< start of the runtime to the probe's first instruction; 0: unknown
};

struct EventLimits {
  std::uint64_t bytes = 8ull << 20;  ///< of the whole text
  std::uint64_t line = 1ull << 20;
  std::uint64_t events = 100'000;
  int depth = 16;
};
/// Fills `events`, `broken_lines` and `complete` from what a probe wrote. Never throws: whatever
/// the image wrote is data.
void read_events(std::string_view text, ProbeRun& run, const EventLimits& limits = {});

}  // namespace img
