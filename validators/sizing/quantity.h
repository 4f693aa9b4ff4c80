// SPDX-License-Identifier: Apache-2.0
// Numbers as people type them: counts, durations, money; and as they read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace img {

/// "0.52", "12": digits with at most one point, nothing else.
std::optional<double> parse_number(std::string_view text);
/// "7B", "350M", "1.3b", "125000000": how many.
std::optional<double> parse_count(std::string_view text);
/// "45s", "12min", "3m", "1h30m", "250ms", "90" (seconds).
std::optional<double> parse_duration(std::string_view text);

/// "45 s", "3 min 45 s", "15 min", "2 h 5 min", "0.25 s"
std::string duration_words(double seconds);
/// At least two decimals, and enough for two digits that say something: "$0.13", "$0.0325",
/// "711.75 EUR".
std::string money(double amount, const std::string& currency);
/// `digits` after the point: "14.20".
std::string fixed(double value, int digits);

}  // namespace img
