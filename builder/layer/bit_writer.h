// SPDX-License-Identifier: Apache-2.0
// Collects deflate bits, lowest first, into whole bytes.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <vector>

namespace img {

class BitWriter {
 public:
  /// Appends the lowest `count` (<= 32) bits of `bits`; higher ones must be zero.
  void put(std::uint32_t bits, unsigned count) {
    pending_ |= std::uint64_t{bits} << pending_count_;
    pending_count_ += count;
    while (pending_count_ >= 8) {
      bytes_.push_back(static_cast<std::uint8_t>(pending_));
      pending_ >>= 8;
      pending_count_ -= 8;
    }
  }
  void align() {
    if (pending_count_ > 0) put(0, 8 - pending_count_);
  }
  /// Only when aligned.
  void append(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  bool is_aligned() const { return pending_count_ == 0; }
  std::size_t size() const { return bytes_.size(); }
  /// Gives the whole bytes out and keeps the bits of an unfinished one.
  void drain(Sink& sink) {
    if (!bytes_.empty()) sink.write(bytes_);
    bytes_.clear();
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::uint64_t pending_ = 0;
  unsigned pending_count_ = 0;
};

}  // namespace img
