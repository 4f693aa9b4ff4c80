// SPDX-License-Identifier: Apache-2.0
// Reads members of probe events that may hold anything: a wrong type is an absent value.
#pragma once

#include "validators/judge/observation.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

bool is_event(const Json& event, std::string_view name);
/// Text as one line without control characters, cut at 1,000 bytes: it goes into reports.
std::optional<std::string> text_of(const Json& event, const char* key);
std::string text_or(const Json& event, const char* key, std::string fallback);
std::optional<std::int64_t> integer_of(const Json& event, const char* key);
std::optional<double> number_of(const Json& event, const char* key);  ///< finite
std::optional<bool> flag_of(const Json& event, const char* key);

/// The events of a run that have this name, in order.
std::vector<const Json*> events_named(const ProbeRun& run, std::string_view name);

/// The run of a call; nullptr when there is none. The first one counts when there are several.
const ProbeRun* find_run(const std::vector<ProbeRun>& runs, std::string_view label);
/// Why a run proves nothing: it was not made, did not start, died, was cut off, or wrote lines that
/// are no events. Empty when it ran from start to end.
std::string why_unusable(const ProbeRun* run, std::string_view label);

}  // namespace img
