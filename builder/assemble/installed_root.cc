// SPDX-License-Identifier: Apache-2.0
// The tar of a freshly installed root → a tree of what is reproducible in it.
#include "builder/assemble/installed_root.h"

#include "builder/assemble/hard_links.h"
#include "builder/assemble/spool_file.h"
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/layer/layer_format.h"
#include "builder/layer/layer_reader.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace img {
namespace {

constexpr std::string_view kOrigin = "debian packages";

/// Everything below these is made anew by whoever starts the image.
constexpr std::array<std::string_view, 6> kVolatile = {"dev", "proc", "run",
                                                       "sys", "tmp",  "var/tmp"};

/// Files that come from the host, from the way of installing, or from the moment.
constexpr std::array<std::string_view, 23> kLeaks = {
    "etc/resolv.conf", "etc/hostname", "etc/apt/sources.list", "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "etc/apt/apt.conf.d/99mmdebstrap",
    // Backups and locks of the programs that ran.
    "etc/.pwd.lock", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/subuid-",
    "etc/subgid-", "var/lib/dpkg/*-old", "var/lib/dpkg/lock*", "var/lib/dpkg/triggers/Lock",
    "var/cache/debconf/*-old",
    // Logs and caches.
    "var/log/**", "var/cache/apt/**", "var/lib/apt/**", "var/cache/ldconfig/aux-cache",
    // What must differ between machines.
    "var/lib/systemd/random-seed", "var/lib/dbus/machine-id", "etc/ssh/ssh_host_*"};

/// Made by the host's apt and owned by the host's number of its user.
constexpr std::array<std::string_view, 2> kAptScratch = {"var/cache/apt/archives/partial",
                                                         "var/lib/apt/lists/partial"};

struct MountPoint {
  std::string_view path;
  std::uint32_t mode;
};
constexpr std::array<MountPoint, 5> kMountPoints = {
    MountPoint{"dev", 0755}, MountPoint{"proc", 0755}, MountPoint{"run", 0755},
    MountPoint{"sys", 0755}, MountPoint{"tmp", 01777}};

bool is_below(const std::string& path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// run/lock is a folder that packages rely on; nothing else below run is theirs.
bool is_volatile(const std::string& path, EntryType type) {
  if (path == "run/lock" && type == EntryType::directory) return false;
  return std::any_of(kVolatile.begin(), kVolatile.end(),
                     [&](std::string_view folder) { return is_below(path, folder); });
}

bool is_leak(const std::string& path, EntryType type) {
  if (is_volatile(path, type)) return true;
  if (type == EntryType::directory) {
    return std::find(kAptScratch.begin(), kAptScratch.end(), path) != kAptScratch.end();
  }
  return std::any_of(kLeaks.begin(), kLeaks.end(),
                     [&](std::string_view glob) { return glob_match(glob, path); });
}

/// PEP 552: 4 bytes of magic, 4 bytes of flags, little-endian; bit 0 says that a hash of the source
/// follows instead of its date.
void require_hash_based(const std::string& path, std::string_view head) {
  if (head.size() >= 8 && (static_cast<unsigned char>(head[4]) & 1) != 0) return;
  throw InputError(ErrorText{
      .message = "bytecode '/" + path + "' embeds the date of its source",
      .details = {{"expected", "a hash-based file (PEP 552)"}},
      .hint = "leave out the package that makes it, or drop the file in the recipe and ask its "
              "packager to honour SOURCE_DATE_EPOCH"});
}

/// name:password:last change:…, one line a user.
std::string without_dates(const std::string& shadow) {
  constexpr std::int64_t kSecondsADay = 86400;
  std::string result;
  for (const std::string& line : split(shadow, '\n')) {
    std::vector<std::string> fields = split(line, ':');
    if (fields.size() > 2 && parse_decimal(fields[2])) {
      fields[2] = std::to_string(kEntryMtime / kSecondsADay);
    }
    result += join(fields, ":") + "\n";
  }
  result.pop_back();  // split() gives an empty last part for the final newline
  return result;
}

/// The first bytes of a file as it is copied.
std::string copy_body(Source& body, Sink& to) {
  std::array<std::uint8_t, 64 << 10> buffer;
  std::string head;
  while (const std::size_t count = body.read(buffer)) {
    if (head.size() < 8)
      head.append(as_text(ByteView(buffer).first(std::min<std::size_t>(count, 8))));
    to.write(ByteView(buffer).first(count));
  }
  return head;
}

/// Files whose bytes are ours to normalise are kept in memory; everything else goes to the spool.
Content read_content_of(const std::string& path, Source& body, SpoolFile& spool) {
  constexpr std::uint64_t kLimit = 1 << 20;
  if (path == "etc/machine-id") return literal("");
  if (path == "etc/shadow") return literal(without_dates(read_all(body, kLimit, path)));
  StoredContent content{.offset = spool.position()};
  const std::string head = copy_body(body, spool);
  content.size = spool.position() - content.offset;
  if (path.ends_with(".pyc")) require_hash_based(path, head);
  return content;
}

Tree::Map read_entries(Source& tar, const std::string& name, SpoolFile& spool) {
  Tree::Map entries;
  read_tar(tar, name, [&](const TarEntry& read, Source& body) {
    check_interrupt();
    Entry entry = read.entry;
    entry.origin = kOrigin;
    if (entry.type == EntryType::file) {
      // Even a leak is read: a hard link may keep its bytes.
      entry.content = read_content_of(read.path.str(), body, spool);
    }
    entries.emplace(read.path, std::move(entry));
  });
  return entries;
}

void drop_leaks(FlatTree& entries) {
  std::erase_if(entries,
                [](const auto& item) { return is_leak(item.first.str(), item.second.entry.type); });
}

void add_mount_points(Tree& tree) {
  for (const MountPoint& point : kMountPoints) {
    const EntryPath path = EntryPath::parse(point.path);
    if (tree.find(path) == nullptr) {
      tree.put(path, Entry::directory(point.mode, std::string(kOrigin)));
    }
  }
}

void attach(Entry& entry, const std::shared_ptr<const InputFile>& file) {
  if (auto* stored = std::get_if<StoredContent>(&entry.content)) stored->file = file;
}

}  // namespace

Tree read_installed_root(Source& tar, const std::string& name, const fs::path& contents) {
  SpoolFile spool(contents);
  FlatTree entries = without_hard_links(read_entries(tar, name, spool));
  spool.finish();
  drop_leaks(entries);
  const std::shared_ptr<const InputFile> file = spool.open();
  Tree tree;
  for (auto& [path, entry] : with_hard_links(entries)) {
    attach(entry, file);
    tree.put(path, std::move(entry));
  }
  add_mount_points(tree);
  tree.seal(std::string(kOrigin));
  return tree;
}

}  // namespace img
