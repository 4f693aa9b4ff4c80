// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a regular file come from: memory, a range of a file, or a deflate stream in
// one.
#pragma once

#include "builder/base/file.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace img {

/// Bytes in memory.
struct LiteralContent {
  std::shared_ptr<const std::string> bytes;
};

/// A range of a file, as it is.
struct StoredContent {
  std::shared_ptr<const InputFile> file;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// A raw deflate stream (RFC 1951) that is a range of a file, e.g. a member of a wheel.
struct DeflatedContent {
  std::shared_ptr<const InputFile> file;
  std::uint64_t offset = 0;       ///< of the first byte of the stream
  std::uint64_t packed_size = 0;  ///< the stream ends exactly there
  std::uint64_t size = 0;         ///< and yields exactly this many bytes
  std::uint32_t crc32 = 0;        ///< of those bytes (IEEE, as zip and gzip use it)
  /// Bit offset (from the first bit of the stream) of the header of the last block, when known from
  /// a verified earlier decode of the same bytes.
  std::optional<std::uint64_t> last_block_bit = {};
  /// How messages call the file, e.g. by the wheel's name; null: by its own file name.
  std::shared_ptr<const std::string> file_name = nullptr;
};

using Content = std::variant<LiteralContent, StoredContent, DeflatedContent>;

Content literal(std::string bytes);
std::uint64_t content_size(const Content& content);

/// Reads the plain bytes. A deflate stream that ends early or late, yields another size or CRC, or
/// has bytes left over is an IntegrityError (raised at the end of the stream at the latest). The
/// content must outlive the source.
std::unique_ptr<Source> open_content(const Content& content);
/// Whole content; InputError over `limit`.
std::string read_content(const Content& content, std::uint64_t limit = 64ull << 20);

}  // namespace img
