// SPDX-License-Identifier: Apache-2.0
// What a blob's file looked like when its bytes were last known to be right.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace img {

/// Any write to a file moves its mtime, and setting the mtime back moves its ctime; a copy put in
/// its place has another inode. So a file that fits its stamp need not be hashed again. The store
/// dates its blobs back (see kBackdate), so that a write within the clock's granularity moves the
/// mtime too.
struct BlobStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_seconds = 0, mtime_nanoseconds = 0;
  std::int64_t ctime_seconds = 0, ctime_nanoseconds = 0;
  std::uint64_t links = 0;

  static constexpr int kBackdate = 2;  ///< seconds

  static BlobStamp of(const struct stat& info);
  /// One line; nullopt for anything that format() did not write.
  static std::optional<BlobStamp> parse(std::string_view text);
  std::string format() const;

  /// Whether the file that now looks like `now` still has the bytes it had. A hard link made or
  /// removed (blobs are linked into image layouts) moves the ctime and the number of links, and
  /// nothing else: that is accepted.
  bool vouches_for(const BlobStamp& now) const;

  friend bool operator==(const BlobStamp&, const BlobStamp&) = default;
};

}  // namespace img
