// SPDX-License-Identifier: Apache-2.0
// Fixed Huffman codes of RFC 1951 section 3.2.6.
#include "builder/layer/fixed_huffman.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::size_t kMinRun = 3;
constexpr std::size_t kMinRepeat = 4;
constexpr std::size_t kMaxMatch = 258;
constexpr std::size_t kMaxDistance = 32768;
constexpr std::size_t kHeaderSize = 512;

struct Code {
  std::uint16_t bits = 0;
  std::uint8_t count = 0;
};

constexpr std::uint32_t reversed(std::uint32_t code, unsigned count) {
  std::uint32_t result = 0;
  for (unsigned i = 0; i < count; ++i) result |= ((code >> i) & 1) << (count - 1 - i);
  return result;
}

constexpr Code literal_code(unsigned symbol) {
  std::uint32_t code = 0;
  unsigned count = 8;
  if (symbol < 144) {
    code = 0x30 + symbol;
  } else if (symbol < 256) {
    code = 0x190 + symbol - 144;
    count = 9;
  } else if (symbol < 280) {
    code = symbol - 256;
    count = 7;
  } else {
    code = 0xc0 + symbol - 280;
  }
  return {static_cast<std::uint16_t>(reversed(code, count)), static_cast<std::uint8_t>(count)};
}

constexpr auto kLiterals = [] {
  std::array<Code, 288> codes{};
  for (unsigned symbol = 0; symbol < codes.size(); ++symbol) codes[symbol] = literal_code(symbol);
  return codes;
}();

constexpr unsigned kEndOfBlock = 256;

/// Symbols beyond the first few: each group of 2^group_bits symbols has one extra bit more than the
/// group before.
struct Symbol {
  unsigned symbol;
  unsigned extra_count;
  std::uint32_t extra;
};

Symbol length_symbol(std::size_t length) {
  if (length == kMaxMatch) return {285, 0, 0};
  const auto value = static_cast<std::uint32_t>(length - 3);
  if (value < 8) return {257 + value, 0, 0};
  unsigned extra = 1;
  while (value >> (extra + 3) != 0) ++extra;
  return {257 + 4 * extra + (value >> extra), extra, value & ((1u << extra) - 1)};
}

Symbol distance_symbol(std::size_t distance) {
  const auto value = static_cast<std::uint32_t>(distance - 1);
  if (value < 4) return {value, 0, 0};
  unsigned extra = 1;
  while (value >> (extra + 2) != 0) ++extra;
  return {2 * extra + (value >> extra), extra, value & ((1u << extra) - 1)};
}

std::size_t common_length(ByteView a, ByteView b) {
  const std::size_t most = std::min({a.size(), b.size(), kMaxMatch});
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first -
                                  a.begin());
}

std::size_t run_length(ByteView bytes, std::uint8_t byte) {
  const std::size_t most = std::min(bytes.size(), kMaxMatch);
  const auto end = std::find_if(bytes.begin(), bytes.begin() + most,
                                [byte](std::uint8_t other) { return other != byte; });
  return static_cast<std::size_t>(end - bytes.begin());
}

}  // namespace

void FixedHuffmanEncoder::put_literal(std::uint8_t byte) {
  out_.put(kLiterals[byte].bits, kLiterals[byte].count);
}

void FixedHuffmanEncoder::put_match(std::size_t length, std::size_t distance) {
  const Symbol l = length_symbol(length);
  out_.put(kLiterals[l.symbol].bits, kLiterals[l.symbol].count);
  out_.put(l.extra, l.extra_count);
  const Symbol d = distance_symbol(distance);
  out_.put(reversed(d.symbol, 5), 5);
  out_.put(d.extra, d.extra_count);
}

void FixedHuffmanEncoder::encode(ByteView bytes, std::uint64_t position) {
  if (bytes.empty()) return;
  if (!open_) out_.put(0b010, 3);  // not final, fixed codes
  open_ = true;
  const std::uint64_t distance = position - header_position_;
  const bool may_repeat = !header_.empty() && distance <= kMaxDistance;
  bool has_last = after_ == position && position > 0;
  for (std::size_t i = 0; i < bytes.size();) {
    const ByteView rest = bytes.subspan(i);
    const std::size_t run = has_last ? run_length(rest, last_byte_) : 0;
    const std::size_t repeat =
        may_repeat && i < header_.size() ? common_length(rest, ByteView(header_).subspan(i)) : 0;
    std::size_t done = 1;
    if (run >= kMinRun && run >= repeat) {
      put_match(done = run, 1);
    } else if (repeat >= kMinRepeat) {
      put_match(done = repeat, distance);
    } else {
      put_literal(rest[0]);
    }
    last_byte_ = rest[done - 1];
    has_last = true;
    i += done;
  }
  after_ = position + bytes.size();
  if (bytes.size() >= kHeaderSize) {
    header_.assign(bytes.begin(), bytes.end());
    header_position_ = position;
  }
}

void FixedHuffmanEncoder::close() {
  if (open_) out_.put(kLiterals[kEndOfBlock].bits, kLiterals[kEndOfBlock].count);
  open_ = false;
}

}  // namespace img
