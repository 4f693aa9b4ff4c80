// SPDX-License-Identifier: Apache-2.0
// Files that we make ourselves, packed so that a gzip layer can splice them like members of a
// wheel.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <string>

namespace img {

/// A raw deflate stream (RFC 1951) that ends with an empty last block, so that its place is known.
struct DeflatePack {
  std::string packed;
  std::uint64_t size = 0;            ///< of the plain bytes
  std::uint32_t crc32 = 0;           ///< of the plain bytes
  std::uint64_t last_block_bit = 0;  ///< see DeflatedContent
};

/// Packs at kDeflateLevel; bytes depend on `plain` and the linked zlib only.
DeflatePack deflate_pack(ByteView plain);

}  // namespace img
