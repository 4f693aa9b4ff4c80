// SPDX-License-Identifier: Apache-2.0
// Merges layers into one tree.

#include "builder/assemble/layer_tree.h"

#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"

#include <map>
#include <set>

namespace img {
namespace {

/// Where a file's bytes lie in the spool; turned into Content once the spool is complete.
struct Spooled {
  Entry entry;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
using Merged = std::map<EntryPath, Spooled>;

void erase_below(Merged& merged, const EntryPath& folder) {
  const std::string prefix = folder.str() + "/";
  for (auto it = merged.upper_bound(folder);
       it != merged.end() && it->first.str().compare(0, prefix.size(), prefix) <= 0;) {
    if (it->first.str().starts_with(prefix)) {
      it = merged.erase(it);
    } else {
      ++it;
    }
  }
}

void erase(Merged& merged, const EntryPath& path) {
  erase_below(merged, path);
  merged.erase(path);
}

/// One layer over what is there: its whiteouts act on the lower layers only, so they are collected
/// first.
class LayerMerge {
 public:
  LayerMerge(Merged& merged, AtomicFile& spool, std::uint64_t& spooled)
      : merged_(merged), spool_(spool), spooled_(spooled) {}

  void visit(const TarEntry& tar, Source& body) {
    if (tar.is_opaque_marker) {
      if (const auto parent = tar.path.parent()) erase_lower(*parent);
      return;
    }
    if (tar.is_whiteout) {
      const std::string name(tar.path.name().substr(4));
      const auto parent = tar.path.parent();
      const EntryPath removed = parent ? *parent / name : EntryPath::parse(name);
      if (own_.count(removed) == 0) erase(merged_, removed);
      return;
    }
    Spooled spooled{.entry = tar.entry, .offset = spooled_, .size = 0};
    if (tar.entry.type == EntryType::file) {
      spooled.size = copy(body, spool_);
      spooled_ += spooled.size;
    }
    if (tar.entry.type != EntryType::directory) erase_below(merged_, tar.path);
    merged_.insert_or_assign(tar.path, std::move(spooled));
    own_.insert(tar.path);
  }

 private:
  void erase_lower(const EntryPath& folder) {
    for (auto it = merged_.begin(); it != merged_.end();) {
      if (it->first.is_under(folder) && own_.count(it->first) == 0) {
        it = merged_.erase(it);
      } else {
        ++it;
      }
    }
  }

  Merged& merged_;
  AtomicFile& spool_;
  std::uint64_t& spooled_;
  std::set<EntryPath> own_;
};

}  // namespace

MergedTree merge_layers(const std::vector<Descriptor>& layers, const Store& store) {
  MergedTree result{.spool = store.temp_dir("merge"), .tree = {}};
  const fs::path spool_path = result.spool->path() / "contents";
  Merged merged;
  std::uint64_t spooled = 0;
  AtomicFile spool(spool_path);
  for (const Descriptor& layer : layers) {
    with_context("reading layer " + layer.digest.str(), [&] {
      const auto compression = layer.media_type.compression();
      if (!compression) {
        throw InputError("'" + layer.media_type.str() + "' is no layer type that can be read");
      }
      const auto packed = store.open(layer.digest);
      const auto plain = open_decompressed(*packed, *compression);
      LayerMerge merge(merged, spool, spooled);
      read_tar(*plain, layer.digest.str(),
               [&](const TarEntry& tar, Source& body) { merge.visit(tar, body); });
    });
  }
  spool.commit();
  const auto file = InputFile::open(spool_path);
  for (auto& [path, item] : merged) {
    if (item.entry.type == EntryType::file) {
      item.entry.content = StoredContent{file, item.offset, item.size};
    }
    result.tree.put(path, std::move(item.entry));
  }
  result.tree.seal("layers below");
  return result;
}

}  // namespace img
