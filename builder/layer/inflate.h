// SPDX-License-Identifier: Apache-2.0
// Inflates one raw deflate stream piece by piece, and knows where it stands to the bit.
#pragma once

#include "builder/base/stream.h"
#include "builder/layer/content.h"

#include <cstdint>
#include <memory>
#include <string>

namespace img {

/// Size of the buffers that contents are read and inflated with.
inline constexpr std::size_t kIoBuffer = 1 << 20;

/// CRC-32 as zip and gzip use it; start with 0.
std::uint32_t crc32_of(std::uint32_t crc, ByteView bytes);

/// One raw deflate stream with its promises: exact packed size, plain size and CRC.
class CheckedInflater {
 public:
  /// `content` must outlive this object.
  explicit CheckedInflater(const DeflatedContent& content);
  ~CheckedInflater();

  /// Gives the next packed bytes, which must stay alive until read() has returned 0.
  void feed(ByteView packed);
  /// Inflates into `plain`; 0: all fed bytes are used up. IntegrityError for broken data, for more
  /// plain bytes than promised and for packed bytes after the end of the stream.
  std::size_t read(ByteSpan plain);
  /// To be called after the last feed() and read(): IntegrityError unless all promises hold.
  void check_end() const;

  std::uint64_t packed_fed() const { return fed_; }
  std::uint64_t plain_done() const { return done_; }
  /// After read() returned 0, and when exactly the bytes up to and including the one that holds
  /// `bit` have been fed: whether a block header starts at `bit` (counted from the first bit of the
  /// stream). `was_final` is the value of in_final_block() before that last byte was fed.
  bool is_block_start(std::uint64_t bit, bool was_final) const;
  /// Whether the header that was read last has BFINAL set.
  bool in_final_block() const;
  /// After check_end(): how many bits the stream has; less than a byte below 8 * packed_size.
  std::uint64_t stream_bits() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
  const DeflatedContent& content_;
  std::uint64_t fed_ = 0;
  std::uint64_t done_ = 0;
  std::uint32_t crc_ = 0;
};

/// How messages call a deflate stream: "deflate stream at byte 123 of 'torch.whl'".
std::string describe(const DeflatedContent& content);

}  // namespace img
