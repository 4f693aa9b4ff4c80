// SPDX-License-Identifier: Apache-2.0
// A frozen deflate encoder for tar headers: fixed codes, runs of one byte, repeats of the header
// before.
#pragma once

#include "builder/layer/bit_writer.h"

#include <cstdint>
#include <vector>

namespace img {

/// Its output is part of kOutputVersion; it depends on no library.
///   run     the byte before, repeated 3 or more times   → match of distance 1
///   repeat  4 or more bytes that the last piece of at least 512 bytes has at the same place, when
///   that lies
///           at most 32768 plain bytes back                → match of that distance; the longer of
///           the two wins, a run when equal
class FixedHuffmanEncoder {
 public:
  explicit FixedHuffmanEncoder(BitWriter& out) : out_(out) {}

  /// Encodes into the open block, opening one first. `position`: plain bytes before these.
  void encode(ByteView bytes, std::uint64_t position);
  /// Ends the open block, if there is one.
  void close();

 private:
  void put_literal(std::uint8_t byte);
  void put_match(std::size_t length, std::size_t distance);

  BitWriter& out_;
  bool open_ = false;
  std::uint64_t after_ = 0;  // position after the bytes that were encoded last
  std::uint8_t last_byte_ = 0;
  std::vector<std::uint8_t> header_;  // the last piece that repeats are looked up in
  std::uint64_t header_position_ = 0;
};

}  // namespace img
