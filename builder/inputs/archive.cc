// SPDX-License-Identifier: Apache-2.0
// Foreign tars behind one strict door.
#include "builder/inputs/archive.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/inputs/archive_walk.h"
#include "builder/layer/layer_reader.h"

namespace img {
namespace {

/// What read_tar lets pass because image layers may have it, and inputs may not.
void check_entry(const TarEntry& tar, const std::string& name, const ArchiveLimits& limits) {
  const auto refused = [&](const char* rule) {
    return InputError("'" + printable(name) + "': entry '" + printable(tar.path.str()) + "' " +
                      rule);
  };
  if (tar.path.str().size() > limits.path_bytes) throw refused("has too long a path");
  for (const std::string& segment : split(tar.path.str(), '/')) {
    if (segment.starts_with(".wh.")) throw refused("is named like a removal mark of image layers");
  }
}

/// Only what unpacking as root would keep and an image can hold.
void keep_capability_only(Entry& entry) {
  std::erase_if(entry.xattrs,
                [](const auto& xattr) { return xattr.first != "security.capability"; });
}

}  // namespace

void walk_archive(Source& plain, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit) {
  read_tar(plain, name,
           [&](const TarEntry& tar, Source& body) {
             check_interrupt();
             check_entry(tar, name, limits);
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
