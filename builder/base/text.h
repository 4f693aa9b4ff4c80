// SPDX-License-Identifier: Apache-2.0
// Small text helpers: joining, splitting, escaping, sizes for people, "did you mean".
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace img {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);
std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);

/// Lower-case hex of bytes; inverse rejects anything but an even number of lower-case hex digits.
std::string to_hex(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view hex);

/// URL-safe base64 without padding, as wheel RECORD files write digests.
std::string to_base64url(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

/// Control characters and invalid UTF-8 become \xNN, so untrusted text is safe to print.
std::string printable(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// Columns that printable text takes on a terminal (wide East Asian characters take two).
std::size_t display_width(std::string_view text);
/// The start of printable text that fits into `columns`, ending in "…" when something was cut off.
std::string fit_width(std::string_view text, std::size_t columns);

/// "1,234,567"
std::string with_commas(std::uint64_t number);
/// "3.92 GB" (decimal units)
std::string human_size(std::uint64_t bytes);

/// Strict decimal: digits only, no sign, no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
/// "4.5GB", "600MB", "12kB", "7 GiB", "123": bytes; nullopt when it is none of these.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The candidate nearest to `word` when it is near enough to be a slip of the keys.
std::optional<std::string> did_you_mean(std::string_view word,
                                        std::span<const std::string> candidates);

/// Shell-style pattern over a whole path:
///   `*`      any bytes but '/', also none
///   `?`      one character but '/'
///   `[a-z]`  one ASCII character of the set; `[!…]` or `[^…]`: one not of the set, and not '/'
///   `**/`    at the start of a segment: no segment or any number of them (`**/x` matches `x`,
///   `a/b/x`)
///   `**`     elsewhere: any bytes with '/', also none (`a/**` matches all below `a`, not `a`)
///   `\c`     the character c itself
/// Everything else stands for itself, also a '[' that is not closed. The time is never
/// exponential, whatever the pattern.
bool glob_match(std::string_view pattern, std::string_view path);

/// Seconds since 1970 <-> "2026-11-25T00:10:41Z"; nullopt for anything else
/// (fractions of a second are accepted and dropped).
std::string format_rfc3339(std::int64_t seconds);
std::optional<std::int64_t> parse_rfc3339(std::string_view text);

}  // namespace img
