// SPDX-License-Identifier: Apache-2.0
// The canonical tar form of entries: header blocks, PAX records only where ustar does not fit.
//
//   order     bytewise by path (the tree's), so folders come before what they hold
//   name      relative, no "./"; folders end with "/"; ustar name, else prefix split at the first
//   '/' that
//             leaves a name of at most 100 bytes, else PAX path (also for any byte above 0x7f)
//   mode      permission bits; uid, gid as told; uname, gname empty
//   mtime     kEntryMtime; no atime, no ctime
//   size      of files; 0 for everything else; over 8 GiB: PAX size and 0 in the ustar field
//   PAX       one 'x' header named "PaxHeader", mode 0644; records in the order path, linkpath,
//   size, uid, gid,
//             SCHILY.xattr.* bytewise; no GNU types, no global header
//   end       two zero blocks and nothing after
#pragma once

#include "builder/base/stream.h"
#include "builder/layer/entry_path.h"
#include "builder/layer/tree.h"

#include <cstdint>
#include <string>

namespace img {

inline constexpr std::size_t kTarBlock = 512;

/// Bytes that fill up a content of this size to whole blocks.
inline std::size_t tar_padding(std::uint64_t size) {
  return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}

/// Plain size that the tar states for the entry.
std::uint64_t tar_entry_size(const Entry& entry);
/// All header blocks of the entry.
std::string tar_header(const EntryPath& path, const Entry& entry);
/// Zeros: enough for any padding and for the end of the archive.
ByteView tar_zeros(std::size_t count);
inline constexpr std::size_t kTarEnd = 2 * kTarBlock;

}  // namespace img
