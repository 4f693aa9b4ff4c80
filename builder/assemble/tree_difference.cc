// SPDX-License-Identifier: Apache-2.0
// What one tree adds to another, and declared drops.
#include "builder/assemble/debian_root.h"
#include "builder/assemble/hard_links.h"
#include "builder/base/text.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::size_t kCompareBytes = 64 << 10;

bool same_bytes(const Content& a, const Content& b) {
  if (content_size(a) != content_size(b)) return false;
  const auto left = open_content(a);
  const auto right = open_content(b);
  std::string left_bytes(kCompareBytes, '\0'), right_bytes(kCompareBytes, '\0');
  const auto read = [](Source& source, std::string& bytes) {
    return std::string_view(
        bytes.data(),
        read_full(source, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()}));
  };
  while (true) {
    const std::string_view from_left = read(*left, left_bytes);
    if (from_left != read(*right, right_bytes)) return false;
    if (from_left.empty()) return true;
  }
}

bool same_entry(const Entry& a, const Entry& b) {
  return a.type == b.type && a.mode == b.mode && a.uid == b.uid && a.gid == b.gid &&
         a.link == b.link && a.device_major == b.device_major && a.device_minor == b.device_minor &&
         a.xattrs == b.xattrs && (a.type != EntryType::file || same_bytes(a.content, b.content));
}

/// Takes `path`, when it is new, and the folders above it from `from` into `to`.
void take(const FlatTree& from, const EntryPath& path, FlatTree& to) {
  const auto found = from.find(path);
  if (found != from.end()) to.try_emplace(path, found->second);
  for (auto folder = path.parent(); folder; folder = folder->parent()) {
    const auto parent = from.find(*folder);
    if (parent == from.end() || !to.try_emplace(*folder, parent->second).second) return;
  }
}

bool is_directory(const FlatTree& tree, const EntryPath& path) {
  const auto found = tree.find(path);
  return found != tree.end() && found->second.entry.type == EntryType::directory;
}

/// A whiteout hides everything below it, and a file in a folder's place does too.
bool wants_whiteout(const FlatTree& upper, const EntryPath& removed) {
  const auto parent = removed.parent();
  return !parent || is_directory(upper, *parent);
}

bool matches_any(const std::vector<std::string>& globs, const std::string& path) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return glob_match(glob, path); });
}

}  // namespace

Tree tree_difference(const Tree& lower, const Tree& upper) {
  const FlatTree before = without_hard_links(lower.entries());
  const FlatTree after = without_hard_links(upper.entries());
  FlatTree added;
  for (const auto& [path, item] : after) {
    const auto old = before.find(path);
    if (old == before.end() || !same_entry(old->second.entry, item.entry)) {
      take(after, path, added);
    }
  }
  std::vector<EntryPath> whiteouts;
  for (const auto& [path, item] : before) {
    if (after.contains(path) || !wants_whiteout(after, path)) continue;
    whiteouts.push_back(path);
    take(after, path, added);
  }
  Tree result;
  for (auto& [path, entry] : with_hard_links(added)) result.put(path, std::move(entry));
  for (const EntryPath& path : whiteouts) result.add_whiteout(path);
  result.seal("difference");
  return result;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> apply_drops(
    Tree& tree, const std::vector<DropGlob>& drop, const std::vector<std::string>& keep) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> removed(drop.size());
  std::vector<EntryPath> paths;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type == EntryType::directory) continue;
    const std::string absolute = "/" + path.str();
    bool is_dropped = false;
    for (std::size_t i = 0; i < drop.size(); ++i) {
      if (!glob_match(drop[i].glob, absolute)) continue;
      if (!is_dropped && matches_any(keep, absolute)) break;
      is_dropped = true;
      removed[i].first += 1;
      if (entry.type == EntryType::file) removed[i].second += content_size(entry.content);
    }
    if (is_dropped) paths.push_back(path);
  }
  for (const EntryPath& path : paths) remove_keeping_links(tree, path);
  return removed;
}

}  // namespace img
