// SPDX-License-Identifier: Apache-2.0
// Parses and writes numbers with units.

#include "validators/sizing/quantity.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <utility>

namespace img {
namespace {

/// The start of `text` that is a number.
std::string_view number_part(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("0123456789."), text.size()));
}

std::optional<double> seconds_in(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{{"ms", 0.001},
                                                                       {"", 1},
                                                                       {"s", 1},
                                                                       {"sec", 1},
                                                                       {"m", 60},
                                                                       {"min", 60},
                                                                       {"h", 3600},
                                                                       {"d", 86'400}}};
  for (const auto& [name, seconds] : kUnits) {
    if (name == unit) return seconds;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 18 || number_part(text) != text) return std::nullopt;
  if (std::count(text.begin(), text.end(), '.') > 1 || text == ".") return std::nullopt;
  double value = 0, place = 1;
  bool fraction = false;
  for (const char c : text) {
    if (c == '.') {
      fraction = true;
    } else {
      value = value * 10 + (c - '0');
      if (fraction) place *= 10;
    }
  }
  return value / place;
}

std::optional<double> parse_count(std::string_view text) {
  const auto number = parse_number(number_part(text));
  if (!number) return std::nullopt;
  const std::string unit = to_lower_ascii(text.substr(number_part(text).size()));
  if (unit.empty()) return *number;
  if (unit == "k") return *number * 1e3;
  if (unit == "m") return *number * 1e6;
  if (unit == "b") return *number * 1e9;
  if (unit == "t") return *number * 1e12;
  return std::nullopt;
}

std::optional<double> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  double total = 0;
  for (bool first = true; !text.empty(); first = false) {
    const std::string_view digits = number_part(text);
    const auto number = parse_number(digits);
    if (!number) return std::nullopt;
    text.remove_prefix(digits.size());
    const std::string_view unit =
        text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
    const auto seconds = seconds_in(unit);
    // A number without a unit is the whole text, never a part of one.
    if (!seconds || (unit.empty() && !first)) return std::nullopt;
    text.remove_prefix(unit.size());
    total += *number * *seconds;
  }
  return total;
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string duration_words(double seconds) {
  if (seconds < 10) {
    const bool whole = std::abs(seconds - std::round(seconds)) < 0.005;
    return fixed(seconds, whole ? 0 : 2) + " s";
  }
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  const std::uint64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  std::string words;
  const auto add = [&words](std::uint64_t count, const char* unit) {
    if (count != 0) words += (words.empty() ? "" : " ") + with_commas(count) + unit;
  };
  add(hours, " h");
  add(minutes, " min");
  if (hours == 0) add(rest, " s");
  return words.empty() ? "0 s" : words;
}

std::string money(double amount, const std::string& currency) {
  const double size = std::abs(amount);
  int digits = 2;
  while (digits < 6 && size != 0 &&
         std::abs(size - std::strtod(fixed(size, digits).c_str(), nullptr)) > size * 0.005) {
    ++digits;
  }
  std::string text = fixed(size, digits);
  for (std::size_t at = text.find('.'); at > 3;) text.insert(at -= 3, ",");
  const std::string sign = amount < 0 ? "-" : "";
  return currency == "USD" ? sign + "$" + text : sign + text + " " + currency;
}

}  // namespace img
