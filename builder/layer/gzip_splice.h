// SPDX-License-Identifier: Apache-2.0
// One gzip member made of literal bytes and spliced deflate streams: nothing is recompressed.
//
// RFC 1952 member := header (MTIME 0, FLG 0, XFL 0, OS 255) deflate-stream CRC32 ISIZE
// deflate-stream  := ( glue | spliced | packed )*  final-empty-fixed-block
//   glue    fixed-Huffman blocks of our own encoder (tar headers, padding; runs of zero as matches)
//   spliced the blocks of a raw deflate stream with BFINAL of its last block cleared; the next bit
//           follows directly or after an empty stored block that restores byte alignment
//   packed  blocks of zlib at kDeflateLevel up to a sync flush (generated files, and glue between
//   them)
// Bytes depend on the input and kOutputVersion only.
#pragma once

#include "builder/layer/content.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace img {

using OnPlain = std::function<void(ByteView)>;

class GzipSpliceSink {
 public:
  /// `out` receives the member; not owned.
  explicit GzipSpliceSink(Sink& out);
  ~GzipSpliceSink();

  /// Tar headers and padding.
  void glue(ByteView bytes);
  /// Bytes to be compressed here; glue up to the next splice() joins their zlib stream.
  void pack(Source& plain, const OnPlain& on_plain);
  /// Splices the stream; inflates it on the way and gives the plain bytes to `on_plain` in order.
  /// IntegrityError when stream, size or CRC are not what `content` says.
  void splice(const DeflatedContent& content, const OnPlain& on_plain);
  /// Final block and trailer; calls out.finish().
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace img
