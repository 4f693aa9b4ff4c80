// SPDX-License-Identifier: Apache-2.0
// Follows deflate blocks from any bit without producing their bytes.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace img {

/// Where a chain of blocks ended.
struct ChainEnd {
  std::uint64_t last_block_bit = 0;
  std::uint64_t end_bit = 0;
  std::uint64_t last_block_plain = 0;  ///< plain bytes that the last block yields
};

class DeflateChain {
 public:
  explicit DeflateChain(ByteView bytes);
  std::uint64_t bits() const { return bits_; }

  /// Quick look: could a dynamic block header start here? Right for every real one.
  bool may_be_dynamic(std::uint64_t bit) const;
  /// Follows blocks up to the one with BFINAL set; nullopt when that is not possible. `bit` must be
  /// at most bits().
  std::optional<ChainEnd> follow(std::uint64_t bit);

 private:
  /// Decoding table of one prefix code, indexed by the next bits of the stream.
  struct Code {
    std::vector<std::uint16_t> table;  // symbol << 4 | length; 0: no such code
    unsigned bits = 0;
    enum class Need { complete, complete_or_single };
    bool build(const std::uint8_t* lengths, unsigned count, Need need);
  };

  std::uint64_t peek(std::uint64_t bit) const;
  bool read_dynamic_codes(std::uint64_t& bit);
  void set_fixed_codes();
  bool skip_stored(std::uint64_t& bit, std::uint64_t& plain) const;
  bool skip_symbols(std::uint64_t& bit, std::uint64_t& plain) const;

  std::vector<std::uint8_t> bytes_;  // padded, so that peek() never reads outside
  std::uint64_t bits_;
  Code lengths_, literals_, distances_;
};

}  // namespace img
