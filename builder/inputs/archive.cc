// SPDX-License-Identifier: Apache-2.0
// Foreign tars behind one strict door.
#include "builder/inputs/archive.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/inputs/archive_walk.h"
#include "builder/layer/layer_reader.h"

#include <map>

namespace img {
namespace {

class Door {
 public:
  Door(const std::string& name, const ArchiveLimits& limits) : name_(name), limits_(limits) {}

  void check(const TarEntry& tar) {
    check_interrupt();
    if (tar.path.str().size() > limits_.path_bytes) throw refused(tar.path, "has too long a path");
    for (const std::string& segment : split(tar.path.str(), '/')) {
      if (segment.starts_with(".wh."))
        throw refused(tar.path, "is named like a removal mark of image layers");
    }
    check_parents(tar.path);
    if (!types_.emplace(tar.path, tar.entry.type).second) throw refused(tar.path, "is there twice");
    if (tar.entry.type == EntryType::hardlink) check_hardlink(tar);
  }

 private:
  InputError refused(const EntryPath& path, const std::string& rule,
                     std::vector<ErrorDetail> details = {}) const {
    return InputError(
        ErrorText{"'" + printable(name_) + "': entry '" + printable(path.str()) + "' " + rule,
                  std::move(details)});
  }

  void check_parents(const EntryPath& path) const {
    for (auto parent = path.parent(); parent; parent = parent->parent()) {
      const auto found = types_.find(*parent);
      if (found == types_.end() || found->second == EntryType::directory) continue;
      throw refused(path,
                    found->second == EntryType::symlink
                        ? "lies below a symbolic link of the same archive"
                        : "lies below something that is no directory",
                    {{"got", parent->str()}});
    }
  }

  void check_hardlink(const TarEntry& tar) const {
    const auto target = EntryPath::parse_tar_name(tar.entry.link);
    const auto found = target ? types_.find(*target) : types_.end();
    if (found == types_.end() || found->second != EntryType::file)
      throw refused(tar.path, "is a hard link to something that is no earlier file of the archive",
                    {{"got", tar.entry.link}});
  }

  const std::string& name_;
  const ArchiveLimits& limits_;
  std::map<EntryPath, EntryType> types_;
};

/// Only what unpacking as root would keep and an image can hold.
void keep_capability_only(Entry& entry) {
  std::erase_if(entry.xattrs,
                [](const auto& xattr) { return xattr.first != "security.capability"; });
}

}  // namespace

void walk_archive(Source& plain, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit) {
  Door door(name, limits);
  read_tar(plain, name,
           [&](const TarEntry& tar, Source& body) {
             door.check(tar);
             Entry entry = tar.entry;
             keep_capability_only(entry);
             visit(tar.path, std::move(entry), body);
           },
           {limits.entries, limits.bytes});
  // The end of the packed stream is checked by whoever reads up to it.
  std::uint8_t spare = 0;
  if (plain.read({&spare, 1}) != 0)
    throw InputError("'" + printable(name) + "' has bytes after the end of its archive");
}

void read_archive(Source& packed, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit) {
  const auto plain = open_foreign(packed, name);
  walk_archive(*plain, name, limits, visit);
}

}  // namespace img
