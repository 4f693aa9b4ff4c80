// SPDX-License-Identifier: Apache-2.0
// Finds the last block of a deflate stream, which has to lose its "final" bit where streams are
// joined.
#pragma once

#include "builder/layer/content.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace img {

class CheckedInflater;

/// What a stream ends with. Offsets in bits from the first bit of the stream.
struct DeflateEnd {
  std::uint64_t last_block_bit = 0;  ///< header of the last block, i.e. its BFINAL bit
  std::uint64_t stream_bits = 0;     ///< first bit after the stream
};

/// One piece of a stream, given out when it has been inflated.
struct PackedChunk {
  ByteSpan bytes;  ///< may be changed by the receiver
  std::uint64_t offset = 0;
  /// Proven when it lies in this chunk.
  std::uint64_t last_block_bit = 0;
  /// Set for the last chunk only: the whole stream has been inflated and checked.
  std::optional<std::uint64_t> stream_bits = {};
};

/// Inflates the stream with all checks of open_content, gives plain bytes and then the packed bytes
/// they came from, and proves on the way where the last block begins: the inflater itself must
/// stand at a block header there. Starts from content.last_block_bit, else from a search in the
/// tail; when the proof fails, walks the stream block by block.
class DeflatePass {
 public:
  using OnPlain = std::function<void(ByteView)>;
  using OnPacked = std::function<void(const PackedChunk&)>;

  DeflatePass();
  DeflateEnd run(const DeflatedContent& content, const OnPlain& on_plain,
                 const OnPacked& on_packed = nullptr);

 private:
  void inflate(CheckedInflater& inflater, ByteView packed, const OnPlain& on_plain);
  bool inflate_to_last_block(CheckedInflater& inflater, ByteView packed, std::uint64_t bit,
                             const OnPlain& on_plain);

  std::vector<std::uint8_t> packed_;
  std::vector<std::uint8_t> plain_;
};

/// How much of a stream's end is searched at first, and at most.
inline constexpr std::size_t kTailWindow = 96 << 10;
inline constexpr std::size_t kTailMost = 4 * kTailWindow;

/// Finds the bit offset (from the first bit of the stream) of the last block's header by trying
/// every bit of the last kTailWindow bytes of `packed_tail`, then of all of it, as the header of a
/// dynamic block and following the chain of blocks to the end of the stream. `packed_tail`: the
/// last bytes of the stream (all of it when it is short). `plain_tail`, when not empty: the last
/// plain bytes; the last block is then decoded with them as window and must reproduce them, else
/// nothing is returned. Without, the result still has to be proven (DeflatePass does).
std::optional<std::uint64_t> find_last_block(ByteView packed_tail, std::uint64_t packed_size,
                                             ByteView plain_tail = {});

/// Exact and slower: inflates everything block by block (zlib Z_BLOCK). IntegrityError for a broken
/// stream.
std::uint64_t last_block_by_walking(const DeflatedContent& content);

}  // namespace img
