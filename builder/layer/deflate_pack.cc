// SPDX-License-Identifier: Apache-2.0
// Files that we make ourselves, packed so that a gzip layer can splice them like members of a
// wheel.
#include "builder/layer/deflate_pack.h"

#include "builder/base/error.h"
#include "builder/layer/layer_format.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace img {
namespace {

/// Last block, fixed Huffman, nothing but its end: bits 1, 01 and seven zeros.
constexpr std::string_view kEmptyLastBlock("\x03\x00", 2);

class Deflater {
 public:
  Deflater() {
    const int raw_window = -15;
    const int memory = 8;
    if (deflateInit2(&stream_, kDeflateLevel, Z_DEFLATED, raw_window, memory, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~Deflater() { deflateEnd(&stream_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Appends the blocks of `plain`, then an empty stored block that restores byte alignment.
  void pack(ByteView plain, std::string& out) {
    // zlib reads through a pointer to non-const, but does not write.
    stream_.next_in = const_cast<Bytef*>(plain.data());
    stream_.avail_in = static_cast<uInt>(plain.size());
    const std::size_t step = deflateBound(&stream_, plain.size()) + 64;
    do {
      const std::size_t used = out.size();
      out.resize(used + step);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
      stream_.avail_out = static_cast<uInt>(step);
      if (deflate(&stream_, Z_SYNC_FLUSH) == Z_STREAM_ERROR) throw InternalError("deflate failed");
      out.resize(out.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_ = {};
};

}  // namespace

DeflatePack deflate_pack(ByteView plain) {
  if (plain.size() > std::numeric_limits<uInt>::max() / 2) {
    throw InternalError("deflate_pack is for small files");
  }
  DeflatePack result;
  result.size = plain.size();
  result.crc32 =
      static_cast<std::uint32_t>(crc32(0, plain.data(), static_cast<uInt>(plain.size())));
  if (!plain.empty()) Deflater().pack(plain, result.packed);
  result.last_block_bit = 8 * static_cast<std::uint64_t>(result.packed.size());
  result.packed += kEmptyLastBlock;
  result.packed.shrink_to_fit();
  return result;
}

}  // namespace img
