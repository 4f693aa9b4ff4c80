// SPDX-License-Identifier: Apache-2.0
// Layer bytes → entries, strictly and in one pass; used by diff, imgcheck and for base images.
#pragma once

#include "builder/layer/tree.h"
#include "builder/oci/image.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace img {

/// Decompresses by `compression`; multi-member gzip and multi-frame zstd are read, trailing bytes
/// that are neither are an InputError. zstd windows above 128 MiB are refused.
std::unique_ptr<Source> open_decompressed(Source& packed, Compression compression);

/// One entry as the tar has it. `entry.content` is unset; contents are read through `body`.
struct TarEntry {
  EntryPath path;
  Entry entry;
  std::int64_t mtime = 0;
  std::uint64_t size = 0;
  bool is_whiteout = false;       ///< ".wh.name": `path` is the file itself, e.g. "a/.wh.b"
  bool is_opaque_marker = false;  ///< ".wh..wh..opq"
  std::uint64_t data_offset = 0;  ///< of the content, from the first byte of the tar
};

struct TarReadLimits {
  std::uint64_t entries = 2'000'000;
  std::uint64_t bytes = 256ull << 30;
};

/// Reads every entry in order. `visit(entry, body)`: body yields exactly entry.size bytes and may
/// be left unread. The root itself ("./") must be a folder and is not visited. Accepts ustar, PAX
/// and GNU long names. Refused with InputError (naming the entry, framed by "reading '<name>'"):
/// unsafe paths, duplicates, entries below what is no folder, hard links to anything but an earlier
/// file, links and folders with data, header checksum errors, conflicting PAX and ustar sizes,
/// broken or huge PAX records, global PAX headers that say more than a comment, sparse and unknown
/// types, whiteouts that are no empty files or name nothing, bytes after the end of the archive
/// other than zeros, a missing end. Returns the number of plain bytes.
std::uint64_t read_tar(Source& plain, const std::string& name,
                       const std::function<void(const TarEntry&, Source& body)>& visit,
                       const TarReadLimits& limits = {});

/// The same over a plain tar in a file: contents that `visit` leaves are not read.
std::uint64_t read_tar(const InputFile& file, const std::string& name,
                       const std::function<void(const TarEntry&, Source& body)>& visit,
                       const TarReadLimits& limits = {});

}  // namespace img
