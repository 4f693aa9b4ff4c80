// SPDX-License-Identifier: Apache-2.0
// Adding, merging and sealing the entries of a tree.
#include "builder/layer/tree.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace img {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::uint32_t kModeBits = 07777;
constexpr std::uint32_t kMaxDeviceNumber = 07777777;  // what ustar can hold
constexpr std::size_t kMaxLink = 4096;

std::string octal(std::uint32_t mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) {
    text.push_back(static_cast<char>('0' + ((mode >> shift) & 7)));
  }
  return text;
}

bool same_bytes(const Content& a, const Content& b) {
  if (content_size(a) != content_size(b)) return false;
  const auto left = open_content(a);
  const auto right = open_content(b);
  std::vector<std::uint8_t> left_buffer(64 << 10), right_buffer(64 << 10);
  while (true) {
    const std::size_t count = read_full(*left, left_buffer);
    if (read_full(*right, right_buffer) != count) return false;
    if (count == 0) return true;
    if (std::memcmp(left_buffer.data(), right_buffer.data(), count) != 0) return false;
  }
}

struct Difference {
  std::string what;
  std::string first;
  std::string second;
};

std::string owner(const Entry& entry) {
  return std::to_string(entry.uid) + ":" + std::to_string(entry.gid);
}

std::string device(const Entry& entry) {
  return std::to_string(entry.device_major) + ":" + std::to_string(entry.device_minor);
}

std::string size_text(const Entry& entry) {
  return with_commas(content_size(entry.content)) + " bytes";
}

/// First difference that forbids sharing one path.
std::optional<Difference> difference(const Entry& a, const Entry& b) {
  if (a.type != b.type) {
    return Difference{"type", std::string(to_string(a.type)), std::string(to_string(b.type))};
  }
  if (a.type == EntryType::directory) return std::nullopt;
  if (a.mode != b.mode) return Difference{"mode", octal(a.mode), octal(b.mode)};
  if (owner(a) != owner(b)) return Difference{"owner", owner(a), owner(b)};
  if (a.link != b.link) return Difference{"target", "'" + a.link + "'", "'" + b.link + "'"};
  if (device(a) != device(b)) return Difference{"device number", device(a), device(b)};
  if (a.xattrs != b.xattrs) {
    return Difference{"extended attributes", std::to_string(a.xattrs.size()),
                      std::to_string(b.xattrs.size())};
  }
  if (a.type == EntryType::file && !same_bytes(a.content, b.content)) {
    return Difference{"bytes", size_text(a), size_text(b)};
  }
  return std::nullopt;
}

bool has_whiteout_segment(const EntryPath& path) {
  const std::string& text = path.str();
  return text.starts_with(kWhiteoutPrefix) || text.find("/.wh.") != std::string::npos;
}

void refuse_whiteout(const EntryPath& path, const Entry& entry) {
  if (!has_whiteout_segment(path)) return;
  throw InputError(ErrorText{
      .message =
          "'" + path.str() + "' cannot be in a layer: names that begin with '.wh.' remove files",
      .details = {{.label = "from", .value = entry.origin}}});
}

[[noreturn]] void refuse(const EntryPath& path, const Entry& entry, const std::string& rule) {
  ErrorText text{.message = "'" + path.str() + "' " + rule};
  if (!entry.origin.empty()) text.details = {{.label = "from", .value = entry.origin}};
  throw InputError(std::move(text));
}

void check_link_text(const EntryPath& path, const Entry& entry) {
  if (entry.link.empty()) refuse(path, entry, "is a link without a target");
  if (entry.link.size() > kMaxLink)
    refuse(path, entry, "has a link target of more than 4096 bytes");
  if (entry.link.find('\0') != std::string::npos)
    refuse(path, entry, "has a NUL in its link target");
}

void check_hardlink(const Tree& tree, const EntryPath& path, const Entry& entry) {
  const EntryPath target = EntryPath::parse(entry.link);
  const Entry* found = tree.find(target);
  if (found == nullptr || found->type != EntryType::file || !(target < path)) {
    refuse(path, entry,
           "is a hard link to '" + entry.link + "', which is no earlier regular file of its layer");
  }
}

void check_xattrs(const EntryPath& path, const Entry& entry) {
  for (const auto& [name, value] : entry.xattrs) {
    if (name.empty() || name.find('=') != std::string::npos ||
        name.find('\0') != std::string::npos || !is_valid_utf8(name)) {
      refuse(path, entry, "has an extended attribute whose name a tar cannot hold");
    }
  }
}

void check_entry(const Tree& tree, const EntryPath& path, const Entry& entry) {
  if ((entry.mode & ~kModeBits) != 0) refuse(path, entry, "has more than permission bits as mode");
  if (entry.device_major > kMaxDeviceNumber || entry.device_minor > kMaxDeviceNumber) {
    refuse(path, entry, "has a device number that a tar cannot hold");
  }
  if (entry.type == EntryType::symlink) check_link_text(path, entry);
  if (entry.type == EntryType::hardlink) {
    check_link_text(path, entry);
    check_hardlink(tree, path, entry);
  }
  check_xattrs(path, entry);
}

}  // namespace

std::string_view to_string(EntryType type) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "file", "directory", "symlink", "hard link", "character device", "block device", "fifo"};
  return kNames.at(static_cast<std::size_t>(type));
}

Entry Entry::file(Content content, std::uint32_t mode, std::string origin) {
  Entry entry{.type = EntryType::file, .mode = mode};
  entry.content = std::move(content);
  entry.origin = std::move(origin);
  return entry;
}

Entry Entry::directory(std::uint32_t mode, std::string origin) {
  Entry entry{.type = EntryType::directory, .mode = mode};
  entry.origin = std::move(origin);
  return entry;
}

Entry Entry::symlink(std::string target, std::string origin) {
  Entry entry{.type = EntryType::symlink, .mode = 0777};
  entry.link = std::move(target);
  entry.origin = std::move(origin);
  return entry;
}

void Tree::add(const EntryPath& path, Entry entry) {
  refuse_whiteout(path, entry);
  const auto [found, added] = entries_.try_emplace(path, entry);
  if (added) return;
  const std::optional<Difference> different = difference(found->second, entry);
  if (!different) return;
  throw InputError(ErrorText{
      .message = "'" + path.str() + "' comes from two sources that differ in " + different->what,
      .details = {{.label = "first", .value = different->first, .origin = found->second.origin},
                  {.label = "second", .value = different->second, .origin = entry.origin}}});
}

void Tree::put(const EntryPath& path, Entry entry) {
  refuse_whiteout(path, entry);
  entries_.insert_or_assign(path, std::move(entry));
}

void Tree::add_whiteout(const EntryPath& removed) {
  const std::string name = std::string(kWhiteoutPrefix) + std::string(removed.name());
  const std::optional<EntryPath> folder = removed.parent();
  entries_.insert_or_assign(folder ? *folder / name : EntryPath::parse(name),
                            Entry::file(literal(""), 0644, "whiteout"));
}

void Tree::remove(const EntryPath& path) { entries_.erase(path); }

void Tree::seal(const std::string& origin_of_parents) {
  std::vector<EntryPath> missing;
  for (const auto& [path, entry] : entries_) {
    for (auto folder = path.parent(); folder; folder = folder->parent()) {
      const Entry* found = find(*folder);
      if (found == nullptr) {
        missing.push_back(*folder);
      } else if (found->type != EntryType::directory) {
        refuse(path, entry,
               "lies under '" + folder->str() + "', which is no directory but a " +
                   std::string(to_string(found->type)));
      } else {
        break;  // the ancestors of an entry are checked with that entry
      }
    }
  }
  for (const EntryPath& folder : missing) {
    entries_.try_emplace(folder, Entry::directory(0755, origin_of_parents));
  }
  for (const auto& [path, entry] : entries_) check_entry(*this, path, entry);
}

const Entry* Tree::find(const EntryPath& path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

std::uint64_t Tree::content_bytes() const {
  std::uint64_t total = 0;
  for (const auto& [path, entry] : entries_) {
    if (entry.type == EntryType::file) total += content_size(entry.content);
  }
  return total;
}

}  // namespace img
