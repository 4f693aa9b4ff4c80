// SPDX-License-Identifier: Apache-2.0
// A deflate parser (RFC 1951) that counts instead of writing.
#include "builder/layer/deflate_chain.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace img {
namespace {

constexpr std::size_t kPadding = 16;
constexpr unsigned kMaxLiterals = 286;
constexpr unsigned kMaxDistances = 30;
constexpr unsigned kEndOfBlock = 256;
constexpr unsigned kLengthCodes = 19;
constexpr std::array<std::uint8_t, kLengthCodes> kLengthOrder = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                                 11, 4,  12, 3, 13, 2, 14, 1, 15};
constexpr std::array<std::uint16_t, 29> kLengthBase = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<std::uint8_t, 29> kLengthExtra = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                       2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};

unsigned distance_extra(unsigned symbol) { return symbol < 2 ? 0 : symbol / 2 - 1; }

unsigned reversed(unsigned code, unsigned length) {
  unsigned result = 0;
  for (unsigned i = 0; i < length; ++i) result |= ((code >> i) & 1) << (length - 1 - i);
  return result;
}

}  // namespace

bool DeflateChain::Code::build(const std::uint8_t* lengths, unsigned count, Need need) {
  std::array<unsigned, 16> counts{};
  for (unsigned i = 0; i < count; ++i) ++counts[lengths[i]];
  const unsigned used = count - counts[0];
  counts[0] = 0;
  unsigned space = 0;
  bits = 1;
  for (unsigned length = 1; length < 16; ++length) {
    space += counts[length] << (15 - length);
    if (counts[length] > 0) bits = length;
  }
  const bool single = used == 0 || (used == 1 && counts[1] == 1);
  const bool complete = space == 1u << 15;
  if (!complete && !(need == Need::complete_or_single && single)) return false;
  std::array<unsigned, 17> next{};
  for (unsigned length = 1; length < 16; ++length) {
    next[length + 1] = (next[length] + counts[length]) << 1;
  }
  table.assign(std::size_t{1} << bits, 0);
  for (unsigned symbol = 0; symbol < count; ++symbol) {
    const unsigned length = lengths[symbol];
    if (length == 0) continue;
    const auto value = static_cast<std::uint16_t>(symbol << 4 | length);
    for (unsigned i = reversed(next[length]++, length); i < table.size(); i += 1u << length) {
      table[i] = value;
    }
  }
  return true;
}

DeflateChain::DeflateChain(ByteView bytes) : bits_(8 * std::uint64_t{bytes.size()}) {
  bytes_.reserve(bytes.size() + kPadding);
  bytes_.assign(bytes.begin(), bytes.end());
  bytes_.resize(bytes.size() + kPadding);
}

/// At least 57 bits from `bit` on.
std::uint64_t DeflateChain::peek(std::uint64_t bit) const {
  std::uint64_t word;
  std::memcpy(&word, bytes_.data() + (bit >> 3), sizeof(word));
  return word >> (bit & 7);
}

bool DeflateChain::may_be_dynamic(std::uint64_t bit) const {
  const std::uint64_t head = peek(bit);
  if ((head >> 1 & 3) != 2) return false;
  if ((head >> 3 & 31) > kMaxLiterals - 257 || (head >> 8 & 31) > kMaxDistances - 1) return false;
  const unsigned count = 4 + (head >> 13 & 15);
  if (bit + 17 + 3 * count > bits_) return false;
  // The code of the code lengths must be complete.
  const std::uint64_t low = peek(bit + 17);
  const std::uint64_t high = peek(bit + 17 + 48);
  unsigned space = 0;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned length = (i < 16 ? low >> (3 * i) : high >> (3 * (i - 16))) & 7;
    if (length > 0) space += 128u >> length;
  }
  return space == 128;
}

bool DeflateChain::read_dynamic_codes(std::uint64_t& bit) {
  if (bit + 14 > bits_) return false;
  const std::uint64_t head = peek(bit);
  const unsigned literal_count = 257 + (head & 31);
  const unsigned distance_count = 1 + (head >> 5 & 31);
  const unsigned length_count = 4 + (head >> 10 & 15);
  if (literal_count > kMaxLiterals || distance_count > kMaxDistances) return false;
  bit += 14;
  if (bit + 3 * length_count > bits_) return false;
  std::array<std::uint8_t, kLengthCodes> length_lengths{};
  for (unsigned i = 0; i < length_count; ++i, bit += 3) {
    length_lengths[kLengthOrder[i]] = peek(bit) & 7;
  }
  if (!lengths_.build(length_lengths.data(), kLengthCodes, Code::Need::complete)) return false;

  std::array<std::uint8_t, kMaxLiterals + kMaxDistances> lengths{};
  const unsigned total = literal_count + distance_count;
  for (unsigned i = 0; i < total;) {
    if (bit >= bits_) return false;
    const std::uint64_t word = peek(bit);
    const std::uint16_t entry = lengths_.table[word & (lengths_.table.size() - 1)];
    const unsigned used = entry & 15;
    const unsigned symbol = entry >> 4;
    const std::uint64_t extra = word >> used;
    if (symbol < 16) {
      lengths[i++] = static_cast<std::uint8_t>(symbol);
      bit += used;
      continue;
    }
    if (symbol == 16 && i == 0) return false;
    const std::uint8_t value = symbol == 16 ? lengths[i - 1] : 0;
    const unsigned extra_bits = symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    const unsigned repeat = (symbol == 18 ? 11 : 3) + (extra & ((1u << extra_bits) - 1));
    if (i + repeat > total) return false;
    std::fill_n(lengths.begin() + i, repeat, value);
    i += repeat;
    bit += used + extra_bits;
  }
  return lengths[kEndOfBlock] != 0 &&
         literals_.build(lengths.data(), literal_count, Code::Need::complete_or_single) &&
         distances_.build(lengths.data() + literal_count, distance_count,
                          Code::Need::complete_or_single);
}

void DeflateChain::set_fixed_codes() {
  std::array<std::uint8_t, 288> literal_lengths;
  std::fill_n(literal_lengths.begin(), 144, std::uint8_t{8});
  std::fill_n(literal_lengths.begin() + 144, 112, std::uint8_t{9});
  std::fill_n(literal_lengths.begin() + 256, 24, std::uint8_t{7});
  std::fill_n(literal_lengths.begin() + 280, 8, std::uint8_t{8});
  literals_.build(literal_lengths.data(), literal_lengths.size(), Code::Need::complete);
  std::array<std::uint8_t, 32> distance_lengths;
  distance_lengths.fill(5);
  distances_.build(distance_lengths.data(), distance_lengths.size(), Code::Need::complete);
}

bool DeflateChain::skip_stored(std::uint64_t& bit, std::uint64_t& plain) const {
  bit = (bit + 7) & ~std::uint64_t{7};
  if (bit + 32 > bits_) return false;
  const std::uint64_t head = peek(bit);
  const std::uint64_t length = head & 0xffff;
  if (length != (~(head >> 16) & 0xffff)) return false;
  bit += 32 + 8 * length;
  plain += length;
  return bit <= bits_;
}

bool DeflateChain::skip_symbols(std::uint64_t& bit, std::uint64_t& plain) const {
  while (bit < bits_) {
    const std::uint64_t word = peek(bit);
    const std::uint16_t literal = literals_.table[word & (literals_.table.size() - 1)];
    unsigned used = literal & 15;
    const unsigned symbol = literal >> 4;
    if (used == 0) return false;
    if (symbol < kEndOfBlock) {
      bit += used;
      ++plain;
      continue;
    }
    if (symbol == kEndOfBlock) {
      bit += used;
      return bit <= bits_;
    }
    if (symbol - 257 >= kLengthBase.size()) return false;
    const unsigned length_extra = kLengthExtra[symbol - 257];
    plain += kLengthBase[symbol - 257] + (word >> used & ((1u << length_extra) - 1));
    used += length_extra;
    const std::uint16_t distance = distances_.table[word >> used & (distances_.table.size() - 1)];
    if ((distance & 15) == 0 || distance >> 4 >= kMaxDistances) return false;
    bit += used + (distance & 15) + distance_extra(distance >> 4);
  }
  return false;
}

std::optional<ChainEnd> DeflateChain::follow(std::uint64_t bit) {
  while (bit + 3 <= bits_) {
    ChainEnd end{.last_block_bit = bit};
    const std::uint64_t head = peek(bit);
    const unsigned type = head >> 1 & 3;
    bit += 3;
    bool good = false;
    if (type == 0) {
      good = skip_stored(bit, end.last_block_plain);
    } else if (type == 1) {
      set_fixed_codes();
      good = skip_symbols(bit, end.last_block_plain);
    } else if (type == 2) {
      good = read_dynamic_codes(bit) && skip_symbols(bit, end.last_block_plain);
    }
    if (!good) return std::nullopt;
    end.end_bit = bit;
    if ((head & 1) != 0) return end;
  }
  return std::nullopt;
}

}  // namespace img
