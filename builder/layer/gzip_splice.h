// SPDX-License-Identifier: Apache-2.0
// One gzip member made of literal bytes and spliced deflate streams: nothing is recompressed.
//
// RFC 1952 member := header (MTIME 0, FLG 0, XFL 0, OS 255) deflate-stream CRC32 ISIZE
// deflate-stream  := ( glue | spliced | packed )*  final-empty-fixed-block
//   glue    fixed-Huffman blocks of our own encoder (tar headers, padding; runs of zero as matches)
//   spliced the blocks of a raw deflate stream with BFINAL of its last block cleared; the next bit
//           follows directly or after an empty stored block that restores byte alignment
//   packed  blocks of zlib at kDeflateLevel with sync flush (generated files)
// Bytes depend on the input and kOutputVersion only.
#pragma once

#include "builder/layer/content.h"

#include <cstdint>
#include <optional>

namespace img {

class GzipSpliceSink {
 public:
  /// `out` receives the member; not owned.
  explicit GzipSpliceSink(Sink& out);
  ~GzipSpliceSink();

  /// Tar headers and padding.
  void glue(ByteView bytes);
  /// Bytes to be compressed here.
  void pack(Source& plain, const std::function<void(ByteView)>& on_plain);
  /// Splices the stream; inflates it on the way and gives the plain bytes to `on_plain` in order.
  /// IntegrityError when stream, size or CRC are not what `content` says.
  void splice(const DeflatedContent& content, const std::function<void(ByteView)>& on_plain);
  /// Final block and trailer; calls out.finish().
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Finds the bit offset of the last block's header. `tail_plain`: the last (up to 32 KiB + what the
/// tail of the stream yields) plain bytes are used as proof by re-decoding; nullopt when nothing is
/// proven, then callers use last_block_by_walking. Method: try every bit of the last 96 KiB (then
/// 4x more) as a block header and follow the chain to the end of the stream.
std::optional<std::uint64_t> find_last_block(ByteView packed_tail, std::uint64_t packed_size,
                                             ByteView plain_tail);
/// Exact and slower: inflates everything block by block (zlib Z_BLOCK).
std::uint64_t last_block_by_walking(const DeflatedContent& content);

}  // namespace img
