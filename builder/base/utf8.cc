// SPDX-License-Identifier: Apache-2.0
// UTF-8: strict decoding, safe printing of untrusted text, width on a terminal.
#include "builder/base/text.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

struct Character {
  char32_t code = 0;
  std::size_t size = 0;  // bytes; 0: not valid UTF-8 here
};

/// Refuses overlong forms, surrogates and everything above U+10FFFF (Unicode 15, table 3-7).
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t code = lead & (0xFF >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3F);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return overlong || surrogate || code > 0x10FFFF ? Character{} : Character{code, size};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool in_ranges(const std::array<Range, N>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return code >= range.first && code <= range.last; });
}

/// Characters that move the cursor or turn the direction of the text around them.
bool is_unsafe(char32_t code) {
  static constexpr std::array<Range, 7> kUnsafe{{{0x00, 0x1F},
                                                 {0x7F, 0x9F},
                                                 {0x200E, 0x200F},
                                                 {0x2028, 0x202E},
                                                 {0x2066, 0x2069},
                                                 {0xFEFF, 0xFEFF},
                                                 {0xFFF9, 0xFFFB}}};
  return in_ranges(kUnsafe, code);
}

std::size_t columns_of(char32_t code) {
  static constexpr std::array<Range, 6> kZero{{{0x0300, 0x036F},
                                               {0x1AB0, 0x1AFF},
                                               {0x1DC0, 0x1DFF},
                                               {0x200B, 0x200D},
                                               {0x20D0, 0x20FF},
                                               {0xFE00, 0xFE0F}}};
  static constexpr std::array<Range, 9> kWide{{{0x1100, 0x115F},
                                               {0x2E80, 0x303E},
                                               {0x3041, 0xA4CF},
                                               {0xAC00, 0xD7A3},
                                               {0xF900, 0xFAFF},
                                               {0xFE30, 0xFE6F},
                                               {0xFF00, 0xFF60},
                                               {0x1F300, 0x1FAFF},
                                               {0x20000, 0x3FFFD}}};
  if (code < 0x300) return 1;
  return in_ranges(kZero, code) ? 0 : in_ranges(kWide, code) ? 2 : 1;
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    out += "\\x";
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
  }
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character character = decode(text);
    const std::size_t size = std::max<std::size_t>(character.size, 1);
    if (character.size == 0 || is_unsafe(character.code)) {
      append_escaped(out, text.substr(0, size));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = decode(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = decode(text);
    width += character.size == 0 ? 1 : columns_of(character.code);
    text.remove_prefix(std::max<std::size_t>(character.size, 1));
  }
  return width;
}

std::string fit_width(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t width = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const Character character = decode(text.substr(at));
    const std::size_t next = width + (character.size == 0 ? 1 : columns_of(character.code));
    if (next > columns - 1) break;
    width = next;
    at += std::max<std::size_t>(character.size, 1);
  }
  return std::string(text.substr(0, at)) + "…";
}

}  // namespace img
