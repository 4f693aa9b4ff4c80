// SPDX-License-Identifier: Apache-2.0
// Folders below one root, opened so that no link, whoever made it, leads out of the root.
#pragma once

#include "builder/base/file.h"

#include <string>
#include <string_view>

namespace img {

/// Everything below goes through descriptors of folders that were opened from the root's own; a
/// link on the way is an error (ELOOP or ENOTDIR), also one that somebody puts there meanwhile.
/// Thread-safe.
class SafeFolder {
 public:
  /// How paths are walked: by openat2(2), or name by name where that system call is not allowed.
  enum class Walk { kernel, by_name };

  /// `root` must be an existing folder; SystemError otherwise.
  explicit SafeFolder(const fs::path& root);
  SafeFolder(const fs::path& root, Walk walk);

  const fs::path& path() const { return path_; }
  int fd() const { return root_.get(); }
  Walk walk() const { return walk_; }

  /// The folder at `relative` ("" is the root; no "." or ".." segments, as in EntryPath), or no
  /// descriptor, with errno set: ENOENT, ENOTDIR (a file), ELOOP or ENOTDIR (a link), EXDEV
  /// (another file system).
  Fd try_open(const std::string& relative) const;
  /// The same; SystemError "cannot open folder '<path>'".
  Fd open(const std::string& relative) const;

 private:
  Fd open_by_name(std::string_view relative) const;
  fs::path path_;
  Fd root_;
  Walk walk_;
  dev_t device_ = 0;
};

}  // namespace img
