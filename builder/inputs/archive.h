// SPDX-License-Identifier: Apache-2.0
// The one strict door for foreign tars (unpacked by libarchive): safe entries in, everything else
// refused.
#pragma once

#include "builder/layer/tree.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace img {

struct ArchiveLimits {
  std::uint64_t entries = 500'000;
  std::uint64_t bytes = 16ull << 30;  ///< plain bytes in all
  std::uint64_t path_bytes = 4096;
};

/// Walks a tar (plain, gzip, xz, zstd, bzip2, lzma). libarchive takes the packing off; the tar
/// itself is read by our own strict reader (layer_reader.h: PAX and ustar that contradict each
/// other, damaged headers, sparse files, unknown types, bytes after the end are errors there),
/// because libarchive takes one side of such contradictions silently. Each entry: canonical path,
/// type, mode, uid, gid, link, xattrs (security.capability only) and a body to read. Refused on top
/// (InputError naming archive and entry): the root as anything but a directory, the same path
/// twice, hardlinks to anything but an earlier regular file of this archive, a path below a symlink
/// or file of this archive, removal marks (".wh.*"), limits.
void read_archive(Source& packed, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit);

}  // namespace img
