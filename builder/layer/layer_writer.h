// SPDX-License-Identifier: Apache-2.0
// Tree → layer bytes, in one pass: plain tar hashed for the DiffID, packed, hashed for the digest.
#pragma once

#include "builder/layer/tree.h"
#include "builder/oci/image.h"

#include <cstdint>
#include <functional>

namespace img {

struct LayerWriteOptions {
  Compression compression = Compression::zstd;
  /// Threads that may compress (zstd); with more than one, hashing and writing have threads of
  /// their own, too, so `packed` is written to from another thread (by one at a time). Never
  /// changes a byte.
  int workers = 1;
  /// Called with plain bytes done since the last call, from the writing thread.
  std::function<void(std::uint64_t)> on_progress = nullptr;
};

/// Writes the canonical tar of `tree` (sealed), packed, to `packed`; calls packed.finish(). Bytes
/// depend on the tree, the compression and kOutputVersion, on nothing else. Memory is bounded
/// (about 40 MB, plus about 50 MB a zstd worker) whatever the sizes. gzip: one member; deflate
/// streams of DeflatedContent are spliced, not recompressed (see gzip_splice.h); every one is
/// inflated on the way, for the DiffID and as proof of size and CRC.
Layer write_layer(const Tree& tree, Sink& packed, const LayerWriteOptions& options);

/// The plain canonical tar (used for archives and tests).
void write_tar(const Tree& tree, Sink& plain);

/// Exact size of that tar, without reading contents.
std::uint64_t tar_size(const Tree& tree);

}  // namespace img
