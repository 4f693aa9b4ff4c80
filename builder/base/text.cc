// SPDX-License-Identifier: Apache-2.0
// Text helpers without locale: splitting, escaping, numbers, sizes, dates, near misses.
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>

namespace img {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int digit_value(std::string_view digits, char c) {
  const std::size_t at = digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

/// A multiplication or addition that would overflow gives nullopt.
std::optional<std::uint64_t> times_plus(std::uint64_t a, std::uint64_t factor, std::uint64_t plus) {
  std::uint64_t result = 0;
  if (__builtin_mul_overflow(a, factor, &result)) return std::nullopt;
  if (__builtin_add_overflow(result, plus, &result)) return std::nullopt;
  return result;
}

/// Bytes per unit; nullopt for an unknown unit.
std::optional<std::uint64_t> unit_size(std::string_view unit) {
  struct Unit {
    std::string_view name;
    std::uint64_t size;
  };
  static constexpr std::array<Unit, 11> kUnits{{{"", 1},
                                                {"B", 1},
                                                {"kB", 1'000},
                                                {"KB", 1'000},
                                                {"MB", 1'000'000},
                                                {"GB", 1'000'000'000},
                                                {"TB", 1'000'000'000'000},
                                                {"KiB", 1ull << 10},
                                                {"MiB", 1ull << 20},
                                                {"GiB", 1ull << 30},
                                                {"TiB", 1ull << 40}}};
  for (const Unit& candidate : kUnits) {
    if (candidate.name == unit) return candidate.size;
  }
  return std::nullopt;
}

/// Distance of the optimal string alignment: insertions, deletions, changes and swaps of
/// neighbours.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

/// Two digits at `at`, or -1.
int two_digits(std::string_view text, std::size_t at) {
  if (!is_digit(text[at]) || !is_digit(text[at + 1])) return -1;
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

std::string padded(int number, std::size_t width) {
  const std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text.find(separator, start);
    if (end == std::string_view::npos) break;
    parts.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  parts.emplace_back(text.substr(start));
  return parts;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string joined;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) joined += separator;
    joined += parts[i];
  }
  return joined;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string to_lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    hex += kHexDigits[byte >> 4];
    hex += kHexDigits[byte & 15];
  }
  return hex;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit_value(kHexDigits, hex[i]);
    const int low = digit_value(kHexDigits, hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::string to_base64url(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text += kBase64Digits[bits >> count & 63];
    }
  }
  if (count > 0) text += kBase64Digits[bits << (6 - count) & 63];
  return text;
}

std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int value = digit_value(kBase64Digits, c);
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes.push_back(static_cast<std::uint8_t>(bits >> count & 255));
    }
  }
  // Left-over bits must be zero: one value has one spelling.
  if ((bits & ((1u << count) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string human_size(std::uint64_t bytes) {
  if (bytes < 1000) return std::to_string(bytes) + " B";
  static constexpr std::array<std::string_view, 6> kUnits{"kB", "MB", "GB", "TB", "PB", "EB"};
  std::uint64_t unit = 1000;
  std::size_t index = 0;
  // 999.5 of a unit already rounds up to one of the next.
  while (index + 1 < kUnits.size() && bytes >= unit / 2 * 1999) {
    unit *= 1000;
    ++index;
  }
  const std::uint64_t thousandths = bytes / (unit / 1000);
  const int decimals = thousandths < 9995 ? 2 : thousandths < 99950 ? 1 : 0;
  const std::uint64_t scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1;
  const std::uint64_t step = unit / scale;
  const std::uint64_t rounded = bytes / step + (bytes % step >= step / 2 ? 1 : 0);
  std::string text = std::to_string(rounded / scale);
  if (decimals > 0) {
    text += "." + padded(static_cast<int>(rounded % scale), static_cast<std::size_t>(decimals));
  }
  return text + " " + std::string(kUnits[index]);
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto next = times_plus(value, 10, static_cast<std::uint64_t>(c - '0'));
    if (!next) return std::nullopt;
    value = *next;
  }
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const std::size_t end = std::min(text.size(), text.find_first_not_of("0123456789."));
  const std::string_view number = text.substr(0, end);
  std::string_view unit_name = text.substr(end);
  if (unit_name.size() > 1 && unit_name.front() == ' ') unit_name.remove_prefix(1);
  const auto unit = unit_size(unit_name);
  const std::size_t dot = std::min(number.size(), number.find('.'));
  const auto whole = parse_decimal(number.substr(0, dot));
  if (!unit || !whole) return std::nullopt;
  if (dot == number.size()) return times_plus(*whole, *unit, 0);

  const std::string_view fraction = number.substr(dot + 1);
  const auto part = fraction.size() <= 6 ? parse_decimal(fraction) : std::nullopt;
  if (!part) return std::nullopt;
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < fraction.size(); ++i) scale *= 10;
  const auto scaled = times_plus(*part, *unit, 0);
  if (!scaled || *scaled % scale != 0) return std::nullopt;  // no parts of a byte
  return times_plus(*whole, *unit, *scaled / scale);
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates) {
  constexpr std::size_t kLongest = 200;  // beyond this nobody slipped
  if (word.empty() || word.size() > kLongest) return std::nullopt;
  const std::string wanted = to_lower_ascii(word);
  const std::size_t threshold = std::max<std::size_t>(word.size(), 3) / 3;
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > word.size() + threshold) continue;
    const std::size_t distance = edit_distance(wanted, to_lower_ascii(candidate));
    if (distance > threshold || distance >= std::min(word.size(), candidate.size())) continue;
    const bool nearer = best == nullptr || distance < best_distance ||
                        (distance == best_distance && candidate < *best);
    if (!nearer) continue;
    best = &candidate;
    best_distance = distance;
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string format_rfc3339(std::int64_t seconds) {
  using std::chrono::floor;
  const std::chrono::sys_seconds time{std::chrono::seconds(seconds)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<int>(static_cast<unsigned>(date.month())), 2) + "-" +
         padded(static_cast<int>(static_cast<unsigned>(date.day())), 2) + "T" +
         padded(static_cast<int>(clock.hours().count()), 2) + ":" +
         padded(static_cast<int>(clock.minutes().count()), 2) + ":" +
         padded(static_cast<int>(clock.seconds().count()), 2) + "Z";
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() <= kShape.size() || text.back() != 'Z') return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return std::nullopt;
  }
  const std::string_view rest = text.substr(kShape.size(), text.size() - kShape.size() - 1);
  if (!rest.empty() && (rest.size() < 2 || rest.front() != '.' ||
                        !std::all_of(rest.begin() + 1, rest.end(), is_digit))) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date(
      std::chrono::year(two_digits(text, 0) * 100 + two_digits(text, 2)),
      std::chrono::month(static_cast<unsigned>(two_digits(text, 5))),
      std::chrono::day(static_cast<unsigned>(two_digits(text, 8))));
  const int hours = two_digits(text, 11);
  const int minutes = two_digits(text, 14);
  const int seconds = two_digits(text, 17);
  if (!date.ok() || hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

}  // namespace img
