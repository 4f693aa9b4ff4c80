// SPDX-License-Identifier: Apache-2.0
// The files of one layer before they are bytes: a sorted tree of entries with one owner a path.
#pragma once

#include "builder/layer/content.h"
#include "builder/layer/entry_path.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

enum class EntryType { file, directory, symlink, hardlink, character_device, block_device, fifo };
std::string_view to_string(EntryType type);

struct Entry {
  EntryType type = EntryType::file;
  std::uint32_t mode = 0644;  ///< permission bits, 07777
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string link = {};  ///< symlink: target text; hardlink: path (EntryPath form) of the target
  Content content = LiteralContent{};  ///< files only; an unset literal is an empty file
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::map<std::string, std::string> xattrs = {};
  std::string origin = {};  ///< who brings it ("torch-2.8.0-…whl", "libc6"): for conflict messages

  static Entry file(Content content, std::uint32_t mode, std::string origin);
  static Entry directory(std::uint32_t mode, std::string origin);
  static Entry symlink(std::string target, std::string origin);
};

/// EntryPath → Entry in bytewise order. The root itself is no entry. Invariants checked by seal():
/// every parent exists and is a directory, hardlink targets are earlier regular files of this tree.
class Tree {
 public:
  using Map = std::map<EntryPath, Entry>;

  /// Adds. The same path again: two directories merge (first mode wins), files with equal type,
  /// mode, owner and bytes are shared silently; anything else is an InputError that names path and
  /// both origins. A path ".wh.…" is refused (it would be a whiteout) unless added by add_whiteout.
  void add(const EntryPath& path, Entry entry);
  /// Replaces whatever is there.
  void put(const EntryPath& path, Entry entry);
  /// Adds ".wh.<name>" beside the path that a lower layer has.
  void add_whiteout(const EntryPath& removed);
  void remove(const EntryPath& path);
  /// Adds missing parent folders (0755, root, given origin) and checks the invariants.
  void seal(const std::string& origin_of_parents);

  const Entry* find(const EntryPath& path) const;
  const Map& entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::uint64_t content_bytes() const;

 private:
  Map entries_;
};

}  // namespace img
