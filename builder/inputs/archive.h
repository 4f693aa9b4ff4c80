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

/// Walks a tar (plain, gzip, xz, zstd, bzip2, lzma). libarchive takes the packing off (one layer of
/// it, nothing after it); the tar itself is read by read_tar of layer_reader.h, because libarchive
/// takes one side of contradictions silently. Each entry: canonical path, type, mode, uid, gid,
/// link, xattrs (security.capability only) and a body to read. Refused with InputError naming
/// archive and entry: what read_tar refuses (".." paths, the root as anything but a directory, the
/// same path twice, hardlinks to anything but an earlier regular file, a path below a symlink or
/// file of this archive, PAX and ustar that contradict each other, sparse files, unknown types,
/// bytes after the end), removal marks (".wh.*"), limits. A leading "/" or "./" is taken off.
void read_archive(Source& packed, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit);

}  // namespace img
