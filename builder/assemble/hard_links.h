// SPDX-License-Identifier: Apache-2.0
// Hard links of a tree while names come and go: which names share bytes, and who holds them.
#pragma once

#include "builder/layer/tree.h"

#include <map>
#include <string>

namespace img {

/// An entry that is never a hard link: a name that shares its bytes has them itself, and the name
/// of its group.
struct FlatEntry {
  Entry entry;
  std::string group =
      {};  ///< path of the file that the hard links named; empty: shares with nobody
};
using FlatTree = std::map<EntryPath, FlatEntry>;

/// InputError when a hard link names no regular file of `entries`.
FlatTree without_hard_links(const Tree::Map& entries);

/// The first name of each group (bytewise order) is the file, the others are hard links to it.
Tree::Map with_hard_links(const FlatTree& flat);

/// Removes `path`; when other names are hard links to it, the first of them becomes the file.
void remove_keeping_links(Tree& tree, const EntryPath& path);

}  // namespace img
