// SPDX-License-Identifier: Apache-2.0
// Typed, bounded access to what a probe wrote, and what makes a whole run worthless.
#include "validators/judge/event_reader.h"

#include "builder/base/text.h"

#include <cmath>
#include <limits>

namespace img {
namespace {

constexpr std::size_t kLongestText = 1000;

const Json* member(const Json& event, const char* key) {
  if (!event.is_object()) return nullptr;
  const auto found = event.find(key);
  return found == event.end() ? nullptr : &*found;
}

std::string last_words(const ProbeRun& run) {
  const std::string_view text = trim(run.stderr_tail);
  if (text.empty()) return {};
  const std::size_t line = text.rfind('\n');
  const std::string_view last = line == std::string_view::npos ? text : text.substr(line + 1);
  return ": " + printable(last.substr(0, 200));
}

}  // namespace

bool is_event(const Json& event, std::string_view name) {
  const Json* const value = member(event, "event");
  return value != nullptr && value->is_string() && value->get_ref<const std::string&>() == name;
}

std::optional<std::string> text_of(const Json& event, const char* key) {
  const Json* const value = member(event, key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const std::string_view text = trim(value->get_ref<const std::string&>());
  const bool cut = text.size() > kLongestText;
  std::string line(text.substr(0, kLongestText));
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';  // a finding's text is one line
  }
  return printable(line) + (cut ? "…" : "");
}

std::string text_or(const Json& event, const char* key, std::string fallback) {
  std::optional<std::string> text = text_of(event, key);
  return text ? std::move(*text) : std::move(fallback);
}

std::optional<std::int64_t> integer_of(const Json& event, const char* key) {
  const Json* const value = member(event, key);
  if (value == nullptr || !value->is_number_integer()) return std::nullopt;
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return value->get<std::int64_t>();
}

std::optional<double> number_of(const Json& event, const char* key) {
  const Json* const value = member(event, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double number = value->get<double>();
  if (!std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<bool> flag_of(const Json& event, const char* key) {
  const Json* const value = member(event, key);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::vector<const Json*> events_named(const ProbeRun& run, std::string_view name) {
  std::vector<const Json*> found;
  for (const Json& event : run.events) {
    if (is_event(event, name)) found.push_back(&event);
  }
  return found;
}

const ProbeRun* find_run(const std::vector<ProbeRun>& runs, std::string_view label) {
  for (const ProbeRun& run : runs) {
    if (run.label == label) return &run;
  }
  return nullptr;
}

std::string why_unusable(const ProbeRun* run, std::string_view label) {
  const std::string subject = "probe run '" + std::string(label) + "'";
  if (run == nullptr) return subject + " was not made";
  const std::string reason = run->reason.empty() ? "" : ": " + printable(run->reason);
  switch (run->end) {
    case RunEnd::not_started:
      return subject + " could not be started" + reason;
    case RunEnd::timed_out:
      return subject + " was killed at its time limit" + reason;
    case RunEnd::output_limit:
      return subject + " was killed because it wrote too much" + reason;
    case RunEnd::signalled:
      return subject + " died of signal " + std::to_string(run->exit_code - 128) + last_words(*run);
    case RunEnd::exited:
      break;
  }
  if (run->exit_code != 0) {
    return subject + " ended with exit code " + std::to_string(run->exit_code) + last_words(*run);
  }
  if (run->broken_lines > 0) {
    return subject + " wrote " + std::to_string(run->broken_lines) + " lines that are no events";
  }
  if (!run->complete) return subject + " was cut off before its end";
  return {};
}

}  // namespace img
