// SPDX-License-Identifier: Apache-2.0
// Hard links of a tree while names come and go: which names share bytes, and who holds them.
#include "builder/assemble/hard_links.h"

#include "builder/base/error.h"

#include <vector>

namespace img {
namespace {

const Entry& target_of(const Tree::Map& entries, const EntryPath& path, const Entry& link) {
  const auto target = entries.find(EntryPath::parse(link.link));
  if (target != entries.end() && target->second.type == EntryType::file) return target->second;
  throw InputError("'" + path.str() + "' is a hard link to '" + link.link +
                   "', which is no regular file");
}

}  // namespace

FlatTree without_hard_links(const Tree::Map& entries) {
  FlatTree flat;
  for (const auto& [path, entry] : entries) {
    if (entry.type != EntryType::hardlink) {
      flat.try_emplace(path, FlatEntry{entry});
      continue;
    }
    flat.insert_or_assign(path, FlatEntry{target_of(entries, path, entry), entry.link});
  }
  // The file that the links named belongs to its own group.
  for (const auto& [path, entry] : entries) {
    if (entry.type == EntryType::hardlink) flat.at(EntryPath::parse(entry.link)).group = entry.link;
  }
  return flat;
}

Tree::Map with_hard_links(const FlatTree& flat) {
  Tree::Map entries;
  std::map<std::string, EntryPath> first_of;
  for (const auto& [path, item] : flat) {
    Entry entry = item.entry;
    if (!item.group.empty()) {
      const auto [first, is_first] = first_of.try_emplace(item.group, path);
      if (!is_first) {
        entry.type = EntryType::hardlink;
        entry.link = first->second.str();
        entry.content = LiteralContent{};
      }
    }
    entries.emplace(path, std::move(entry));
  }
  return entries;
}

void remove_keeping_links(Tree& tree, const EntryPath& path) {
  const Entry* removed = tree.find(path);
  if (removed == nullptr) return;
  if (removed->type != EntryType::file) {
    tree.remove(path);
    return;
  }
  Entry file = *removed;
  std::vector<EntryPath> links;
  for (const auto& [other, entry] : tree.entries()) {
    if (entry.type == EntryType::hardlink && entry.link == path.str()) links.push_back(other);
  }
  tree.remove(path);
  for (const EntryPath& link : links) {
    if (link == links.front()) {
      tree.put(link, file);
    } else {
      Entry entry = *tree.find(link);
      entry.link = links.front().str();
      tree.put(link, std::move(entry));
    }
  }
}

}  // namespace img
