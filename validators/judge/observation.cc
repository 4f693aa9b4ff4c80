// SPDX-License-Identifier: Apache-2.0
// Reads the event lines of a probe as the untrusted text that they are.
#include "validators/judge/observation.h"

#include <algorithm>
#include <exception>
#include <optional>

namespace img {
namespace {

/// The event of one line, or nothing when the line is none.
std::optional<Json> event_of(std::string_view line, const EventLimits& limits) {
  if (line.size() > limits.line) return std::nullopt;
  try {
    Json value = parse_json(line, "event", {.bytes = limits.line, .depth = limits.depth});
    if (!value.is_object()) return std::nullopt;
    const auto name = value.find("event");
    if (name == value.end() || !name->is_string()) return std::nullopt;
    return value;
  } catch (const std::exception&) {
    return std::nullopt;  // whatever it was, it is not an event
  }
}

}  // namespace

std::string_view to_string(RunEnd end) {
  switch (end) {
    case RunEnd::exited:
      return "exited";
    case RunEnd::signalled:
      return "signalled";
    case RunEnd::timed_out:
      return "timed-out";
    case RunEnd::output_limit:
      return "output-limit";
    case RunEnd::not_started:
      return "not-started";
  }
  return "unknown";
}

void read_events(std::string_view text, ProbeRun& run, const EventLimits& limits) {
  run.events.clear();
  run.broken_lines = 0;
  run.complete = false;
  bool last_line_is_event = false;
  if (text.size() > limits.bytes) {
    text = text.substr(0, limits.bytes);
    run.broken_lines += 1;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    std::optional<Json> event;
    if (run.events.size() < limits.events) event = event_of(line, limits);
    last_line_is_event = event.has_value();
    if (event) {
      run.events.push_back(std::move(*event));
    } else {
      run.broken_lines += 1;
    }
  }
  run.complete = last_line_is_event && run.events.back()["event"] == "end";
}

}  // namespace img
