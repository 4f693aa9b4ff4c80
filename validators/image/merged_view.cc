// SPDX-License-Identifier: Apache-2.0
// Lays the layers of an image over each other: what a container sees, and what it never sees.
#include "validators/image/merged_view.h"

#include "builder/base/text.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace img {
namespace {

constexpr std::size_t kMostPlacementProblems = 20;  // of one layer
constexpr int kMostLinks = 40;

/// One file with all its names.
struct Inode {
  int layer = 0;
  std::string scanned_as;  ///< path of its first entry in that layer's tar
  std::string path;        ///< where that entry lies in the merged view
  std::uint64_t size = 0;
  std::uint64_t key = 0;
  std::uint64_t names = 0;  ///< that the view still has
};

constexpr std::size_t kNoInode = SIZE_MAX;

struct Node {
  FileFact fact;
  std::size_t inode = kNoInode;
};

FileKind kind_of(EntryType type) {
  switch (type) {
    case EntryType::file:
    case EntryType::hardlink:
      return FileKind::file;
    case EntryType::directory:
      return FileKind::directory;
    case EntryType::symlink:
      return FileKind::symlink;
    case EntryType::fifo:
      return FileKind::fifo;
    case EntryType::character_device:
    case EntryType::block_device:
      return FileKind::device;
  }
  return FileKind::file;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

class View {
 public:
  explicit View(ImageFacts& facts) : facts_(facts) {}

  void apply(LayerScan& scan, int layer) {
    layer_ = layer;
    problems_ = &scan.fact.problems;
    placement_problems_ = 0;
    told_placements_.clear();
    inodes_of_layer_.clear();
    folders_.clear();
    const std::size_t hidden_before = facts_.hidden.size();
    for (const ScannedEntry& entry : scan.entries) remove_lower(entry);
    tell_self_hiding(scan);
    folders_.clear();
    for (const ScannedEntry& entry : scan.entries) {
      if (!entry.is_whiteout && !entry.is_opaque) add(entry);
    }
    mark_same_content(hidden_before);
  }

  void finish(std::vector<LayerScan>& scans) {
    name_inodes();
    for (auto& [path, node] : nodes_) give_out(path, node, scans);
    tell_secrets(scans);
  }

 private:
  using Nodes = std::map<std::string, Node>;

  /// A whiteout hides what lower layers brought only; engines that apply entries in their order
  /// also lose what the same layer has there. Nobody has a reason to write that for a file, which
  /// replaces the lower one anyway; a folder that is removed and made anew is usual.
  static void tell_self_hiding(LayerScan& scan) {
    std::set<std::string_view> whiteouts;
    for (const ScannedEntry& entry : scan.entries) {
      if (entry.is_whiteout) whiteouts.insert(entry.path);
    }
    for (const ScannedEntry& entry : scan.entries) {
      if (entry.is_whiteout || entry.is_opaque || entry.type == EntryType::directory) continue;
      if (!whiteouts.contains(entry.path)) continue;
      scan.fact.problems.push_back("error: '" + printable(entry.path) +
                                   "' has a whiteout in its own layer");
      return;  // one is enough to say
    }
  }

  // --- taking away what lower layers brought ---

  void remove_lower(const ScannedEntry& entry) {
    if (entry.is_whiteout) {
      const std::string folder = folder_for(parent_of(entry.path), /*make=*/false);
      remove(folder + entry.path.substr(entry.path.rfind('/')));
    } else if (entry.is_opaque) {
      remove_below(folder_for(entry.path, /*make=*/false));
    }
  }

  void remove(const std::string& path) {
    remove_below(path);
    const auto found = nodes_.find(path);
    if (found != nodes_.end()) erase(found);
  }

  void remove_below(const std::string& folder) {
    const std::string prefix = folder + "/";
    auto it = nodes_.lower_bound(prefix);
    while (it != nodes_.end() && it->first.starts_with(prefix)) it = erase(it);
  }

  Nodes::iterator erase(Nodes::iterator node) {
    if (node->second.inode != kNoInode) {
      Inode& inode = inodes_[node->second.inode];
      if (--inode.names == 0 && inode.size > 0) {
        facts_.hidden.push_back(
            {.path = node->first, .size = inode.size, .layer = inode.layer, .hidden_by = layer_});
        hidden_keys_.push_back(inode.key);
      }
    }
    return nodes_.erase(node);
  }

  /// Was a file of this layer put in place of what it hides, with the same bytes?
  void mark_same_content(std::size_t from) {
    for (std::size_t i = from; i < facts_.hidden.size(); ++i) {
      HiddenFile& hidden = facts_.hidden[i];
      const auto found = nodes_.find(hidden.path);
      if (found == nodes_.end() || found->second.inode == kNoInode) continue;
      const Inode& upper = inodes_[found->second.inode];
      hidden.same_content = upper.size == hidden.size && upper.key == hidden_keys_[i];
    }
  }

  // --- putting entries in place ---

  void add(const ScannedEntry& entry) {
    const std::string folder = folder_for(parent_of(entry.path), /*make=*/true);
    put(folder + entry.path.substr(entry.path.rfind('/')), entry);
  }

  void put(const std::string& path, const ScannedEntry& entry) {
    const FileKind kind = kind_of(entry.type);
    const std::size_t inode = inode_for(path, entry);
    if (inode != kNoInode) ++inodes_[inode].names;
    const auto found = nodes_.find(path);
    if (found != nodes_.end()) {
      const bool both_folders =
          kind == FileKind::directory && found->second.fact.kind == FileKind::directory;
      if (!both_folders) {
        remove(path);
        folders_.clear();  // what was a link there is one no more
      }
    }
    Node& node = nodes_[path];
    node.inode = inode;
    node.fact = {
        .kind = kind, .mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .layer = layer_};
    if (kind == FileKind::symlink) node.fact.target = entry.link;
    if (inode == kNoInode) return;
    node.fact.size = inodes_[inode].size;
    node.fact.content_key = inodes_[inode].key;
  }

  std::size_t inode_for(const std::string& path, const ScannedEntry& entry) {
    if (entry.type == EntryType::hardlink) {
      const auto target = inodes_of_layer_.find(entry.link);
      if (target == inodes_of_layer_.end()) return kNoInode;  // a link to a whiteout
      inodes_of_layer_.emplace(entry.path, target->second);
      return target->second;
    }
    if (entry.type != EntryType::file) return kNoInode;
    inodes_.push_back({.layer = layer_,
                       .scanned_as = entry.path,
                       .path = path,
                       .size = entry.size,
                       .key = entry.content_key});
    inodes_of_layer_.emplace(entry.path, inodes_.size() - 1);
    return inodes_.size() - 1;
  }

  /// Where the folder `path` of this layer's tar lies in the view: itself, unless a lower layer has
  /// a link on the way. With `make`, folders that are missing are made, as unpackers do.
  std::string folder_for(const std::string& path, bool make) {
    if (path.empty()) return path;
    if (const auto known = folders_.find(path); known != folders_.end()) return known->second;
    const std::string parent = folder_for(parent_of(path), make);
    const std::string here = parent + path.substr(path.rfind('/'));
    const std::string folder = make ? made_folder(here, path) : existing_folder(here);
    folders_.emplace(path, folder);
    return folder;
  }

  std::string existing_folder(const std::string& here) const {
    const auto found = nodes_.find(here);
    if (found == nodes_.end() || found->second.fact.kind != FileKind::symlink) return here;
    return followed(here).value_or(here);
  }

  std::string made_folder(const std::string& here, const std::string& asked) {
    const auto found = nodes_.find(here);
    if (found == nodes_.end()) {
      nodes_[here].fact = {.kind = FileKind::directory, .mode = 0755, .layer = layer_};
      return here;
    }
    if (found->second.fact.kind == FileKind::directory) return here;
    if (found->second.fact.kind == FileKind::symlink) {
      tell_placement("entries lie below '" + asked + "', which is a symbolic link in layer " +
                     std::to_string(found->second.fact.layer) +
                     ": some engines follow it, others put a folder in its place");
      const auto target = followed(here);
      if (target) {
        const auto real = nodes_.find(*target);
        if (target->empty() ||
            (real != nodes_.end() && real->second.fact.kind == FileKind::directory)) {
          return *target;
        }
      }
    } else {
      tell_placement("entries lie below '" + asked + "', which is no folder in layer " +
                     std::to_string(found->second.fact.layer));
    }
    remove(here);
    nodes_[here].fact = {.kind = FileKind::directory, .mode = 0755, .layer = layer_};
    return here;
  }

  void tell_placement(std::string problem) {
    if (!told_placements_.insert(problem).second) return;
    if (++placement_problems_ <= kMostPlacementProblems) problems_->push_back(std::move(problem));
  }

  /// The path that `link` leads to in the view, links followed; nullopt when it leads nowhere.
  std::optional<std::string> followed(const std::string& link) const {
    std::vector<std::string> pending = {link};
    std::string at;
    int links = 0;
    while (!pending.empty()) {
      std::string rest = std::move(pending.back());
      pending.pop_back();
      const std::size_t begin = rest.find_first_not_of('/');
      if (begin == std::string::npos) continue;
      const std::size_t end = std::min(rest.find('/', begin), rest.size());
      const std::string part = rest.substr(begin, end - begin);
      if (end < rest.size()) pending.push_back(rest.substr(end));
      if (part == ".") continue;
      if (part == "..") {
        at.resize(at.empty() ? 0 : at.rfind('/'));
        continue;
      }
      const auto found = nodes_.find(at + "/" + part);
      if (found == nodes_.end()) return std::nullopt;
      if (found->second.fact.kind != FileKind::symlink) {
        at = found->first;
        continue;
      }
      if (++links > kMostLinks) return std::nullopt;
      if (found->second.fact.target.starts_with('/')) at.clear();
      pending.push_back(found->second.fact.target);
    }
    return at;
  }

  // --- the result ---

  /// The first name of each file that is still there: the one its bytes came with, else the lowest.
  void name_inodes() {
    names_.assign(inodes_.size(), "");
    for (const auto& [path, node] : nodes_) {
      if (node.inode == kNoInode) continue;
      std::string& name = names_[node.inode];
      if (name.empty() || path == inodes_[node.inode].path) name = path;
    }
  }

  template <typename Value>
  static void copy_fact(const std::map<std::string, Value>& from, const std::string& scanned_as,
                        const std::string& path, std::map<std::string, Value>& to) {
    const auto found = from.find(scanned_as);
    if (found != from.end()) to.emplace(path, found->second);
  }

  void give_out(const std::string& path, Node& node, const std::vector<LayerScan>& scans) {
    if (node.inode != kNoInode) {
      const Inode& inode = inodes_[node.inode];
      const LayerScan& scan = scans[static_cast<std::size_t>(inode.layer)];
      copy_fact(scan.texts, inode.scanned_as, path, facts_.texts);
      copy_fact(scan.bytecode, inode.scanned_as, path, facts_.bytecode);
      if (names_[node.inode] == path) {
        copy_fact(scan.elf, inode.scanned_as, path, facts_.elf);
        copy_fact(scan.elf_problems, inode.scanned_as, path, facts_.elf_problems);
      } else {
        node.fact.hard_link_of = names_[node.inode];
      }
    }
    facts_.files.emplace(path, std::move(node.fact));
  }

  /// A secret that a later layer hides is still in the image for everyone who has it.
  void tell_secrets(const std::vector<LayerScan>& scans) {
    std::map<std::pair<int, std::string>, std::size_t> by_scan;
    for (std::size_t i = 0; i < inodes_.size(); ++i) {
      by_scan.emplace(std::pair(inodes_[i].layer, inodes_[i].scanned_as), i);
    }
    for (std::size_t layer = 0; layer < scans.size(); ++layer) {
      for (const auto& [path, what] : scans[layer].secrets) {
        const auto found = by_scan.find({static_cast<int>(layer), path});
        const std::string name = found == by_scan.end() ? "" : names_[found->second];
        facts_.secrets.push_back(name.empty()
                                     ? path + ": " + what + " (in layer " + std::to_string(layer) +
                                           ", hidden by a later one)"
                                     : name + ": " + what);
      }
    }
    std::sort(facts_.secrets.begin(), facts_.secrets.end());
  }

  ImageFacts& facts_;
  Nodes nodes_;
  std::vector<Inode> inodes_;
  std::vector<std::string> names_;          // inode → its first name in the view, or empty
  std::vector<std::uint64_t> hidden_keys_;  // beside facts_.hidden
  // Of the layer that is being applied:
  int layer_ = 0;
  std::vector<std::string>* problems_ = nullptr;
  std::size_t placement_problems_ = 0;
  std::unordered_set<std::string> told_placements_;
  std::unordered_map<std::string, std::size_t> inodes_of_layer_;  // by path in its tar
  std::unordered_map<std::string, std::string> folders_;          // path in its tar → in the view
};

}  // namespace

void merge_layers(std::vector<LayerScan> scans, ImageFacts& facts) {
  View view(facts);
  for (std::size_t i = 0; i < scans.size(); ++i) view.apply(scans[i], static_cast<int>(i));
  view.finish(scans);
  for (LayerScan& scan : scans) facts.layers.push_back(std::move(scan.fact));
}

}  // namespace img
