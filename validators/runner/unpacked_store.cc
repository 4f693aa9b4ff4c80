// SPDX-License-Identifier: Apache-2.0
// Makes unpacked layers under a lock and a temporary name, finds and removes them.
#include "validators/runner/unpacked_store.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

// 1: whiteouts as character devices 0:0, opaque folders by user.overlay.opaque.
constexpr int kRecordVersion = 1;
constexpr std::int64_t kWritebackSeconds = 120;  // by then the kernel has written what it buffers
constexpr std::string_view kTemporary = ".tmp";

std::string first_line_of(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// Changes with every start of the machine.
std::string boot_id() { return first_line_of("/proc/sys/kernel/random/boot_id"); }

Json record_of(const UnpackedFacts& facts) {
  return {{"version", kRecordVersion},       {"boot", boot_id()},
          {"entries", facts.entries},        {"bytes", facts.bytes},
          {"implied", Json(facts.implied)},  {"hidesEverythingBelow", facts.hides_everything_below},
          {"notMade", Json(facts.not_made)}, {"notMadeCount", facts.not_made_count}};
}

struct Record {
  std::string boot;
  UnpackedFacts facts;
};

Record parse_record(const std::string& text, const std::string& document) {
  const Json json = parse_json(text, document);
  JsonReader reader(json, document, "");
  if (reader.unsigned_integer("version") != kRecordVersion) {
    reader.fail("version", "another version");
  }
  Record record{.boot = reader.string("boot")};
  record.facts.entries = reader.unsigned_integer("entries");
  record.facts.bytes = reader.unsigned_integer("bytes");
  for (const std::string& path : reader.string_list("implied")) {
    record.facts.implied.insert(EntryPath::parse(path).str());
  }
  record.facts.hides_everything_below = reader.boolean("hidesEverythingBelow");
  record.facts.not_made = reader.string_list("notMade");
  record.facts.not_made_count = reader.unsigned_integer("notMadeCount");
  reader.finish();
  return record;
}

void write_plain_file(const fs::path& path, const std::string& text) {
  const Fd fd = Fd::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  if (::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return;
  const int error = errno;
  throw SystemError(error, "cannot write '" + path.string() + "'");
}

/// Whether the layer survives a power failure: it was made since the machine was started, or has
/// been synced. Syncing right away would make every first run wait for the disk; later it costs
/// nothing, because the kernel has written everything by itself.
bool is_whole(const fs::path& layer, const Record& record) {
  const fs::path mark = layer / "synced";
  struct stat info {};
  if (lstat(mark.c_str(), &info) == 0) return true;
  if (record.boot != boot_id()) return false;
  if (lstat((layer / "layer.json").c_str(), &info) != 0) return false;
  if (time(nullptr) - info.st_mtime < kWritebackSeconds) return true;
  const Fd fd = Fd::open(layer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (syncfs(fd.get()) == 0) {
    std::error_code ignored;  // a store that may only be read does without the mark
    if (access(layer.c_str(), W_OK) == 0) write_plain_file(mark, "");
  }
  return true;
}

bool is_layer_name(const std::string& name) {
  const std::string_view hex = std::string_view(name).substr(0, 64);
  const std::string_view rest = std::string_view(name).substr(hex.size());
  return (rest.empty() || rest == "-flat") && Digest::try_parse("sha256:" + std::string(hex));
}

}  // namespace

UnpackedStore::UnpackedStore(const fs::path& store, Owners owners, UnpackLimits limits)
    : folder_(fs::absolute(store) / "unpacked"), owners_(owners), limits_(limits) {
  try {
    create_folders(folder_ / "locks");
    user_lock_.emplace(folder_ / "users.lock", FileLock::Mode::shared);
    remove_leftovers();
  } catch (const SystemError& error) {
    ErrorText text = error.text();
    text.message = "cannot unpack layers in '" + folder_.string() + "': " + text.message;
    if (text.hint.empty()) text.hint = "name a cache folder that you may write to: --cache-dir";
    throw UnavailableError(std::move(text));
  }
}

std::string UnpackedStore::name_of(const DiffId& diff_id) const {
  if (!diff_id.digest().is_sha256()) {
    throw InputError("DiffID '" + diff_id.str() + "' cannot be verified: only sha256 is supported");
  }
  return std::string(diff_id.digest().hex()) + (owners_ == Owners::kept ? "" : "-flat");
}

fs::path UnpackedStore::lock_of(const std::string& name) const {
  return folder_ / "locks" / (name + ".lock");
}

std::optional<UnpackedLayer> UnpackedStore::find(const std::string& name) const {
  const fs::path layer = folder_ / name;
  struct stat info {};
  if (lstat((layer / "tree").c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
  try {
    const fs::path file = layer / "layer.json";
    Record record = parse_record(read_file(file), file.string());
    if (!is_whole(layer, record)) return std::nullopt;
    return UnpackedLayer{layer / "tree", std::move(record.facts)};
  } catch (const InputError&) {
    return std::nullopt;  // of another version, or damaged: made anew
  } catch (const SystemError& error) {
    if (error.errno_value() == ENOENT) return std::nullopt;
    throw;
  }
}

UnpackedLayer UnpackedStore::get(const LayerSource& layer, std::atomic<std::uint64_t>* image_bytes,
                                 const std::function<void(std::uint64_t)>& on_packed_bytes,
                                 const std::function<void(int)>& on_wait) {
  const std::string name = name_of(layer.diff_id);
  if (auto found = find(name)) return *std::move(found);
  const FileLock lock(lock_of(name), FileLock::Mode::exclusive, on_wait);
  if (auto found = find(name)) return *std::move(found);
  remove_tree(folder_ / name);  // only what find() refuses is left there
  return make(layer, name, image_bytes, on_packed_bytes);
}

UnpackedLayer UnpackedStore::make(const LayerSource& layer, const std::string& name,
                                  std::atomic<std::uint64_t>* image_bytes,
                                  const std::function<void(std::uint64_t)>& on_packed_bytes) const {
  const fs::path temporary = folder_ / (name + std::string(kTemporary));
  remove_tree(temporary);
  try {
    create_folders(temporary / "tree");
    const SafeFolder target(temporary / "tree");
    const auto packed = layer.open();
    UnpackedFacts facts = unpack_layer(*packed, {.target = target,
                                                 .name = layer.name,
                                                 .diff_id = layer.diff_id,
                                                 .compression = layer.compression,
                                                 .packed_size = layer.packed_size,
                                                 .owners = owners_,
                                                 .limits = limits_,
                                                 .image_bytes = image_bytes,
                                                 .on_packed_bytes = on_packed_bytes});
    write_plain_file(temporary / "layer.json", pretty_json(record_of(facts)));
    if (rename(temporary.c_str(), (folder_ / name).c_str()) != 0) {
      const int error = errno;
      throw SystemError(error, "cannot create '" + (folder_ / name).string() + "'");
    }
    return {folder_ / name / "tree", std::move(facts)};
  } catch (...) {
    remove_tree(temporary);
    throw;
  }
}

void UnpackedStore::remove_leftovers() const {
  for (const std::string& entry : sorted_names(folder_)) {
    if (!entry.ends_with(kTemporary)) continue;
    const std::string name = entry.substr(0, entry.size() - kTemporary.size());
    if (!is_layer_name(name)) continue;
    // Whoever is at work on it holds its lock.
    if (const auto lock = FileLock::try_lock(lock_of(name), FileLock::Mode::exclusive)) {
      remove_tree(folder_ / entry);
    }
  }
}

std::vector<UnpackedEntry> list_unpacked(const fs::path& store) {
  const fs::path folder = store / "unpacked";
  std::vector<UnpackedEntry> entries;
  std::error_code error;
  if (!fs::is_directory(folder, error)) return entries;
  for (const std::string& name : sorted_names(folder)) {
    if (!is_layer_name(name)) continue;
    UnpackedEntry entry{.name = name};
    try {
      const fs::path file = folder / name / "layer.json";
      entry.bytes = parse_record(read_file(file), file.string()).facts.bytes;
    } catch (const Error&) {
      // Listed all the same, because it takes room; how much is not known.
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<UnpackedEntry> clear_unpacked(const fs::path& store) {
  std::vector<UnpackedEntry> entries = list_unpacked(store);
  const fs::path folder = store / "unpacked";
  std::error_code error;
  if (!fs::is_directory(folder, error)) return entries;
  const auto lock = FileLock::try_lock(folder / "users.lock", FileLock::Mode::exclusive);
  if (!lock) {
    throw UnavailableError(
        ErrorText{.message = "unpacked layers in '" + folder.string() + "' are in use",
                  .hint = "try again when no other 'imgcheck' runs"});
  }
  for (const std::string& name : sorted_names(folder)) {
    // The lock file goes last, with everything else gone.
    if (name != "users.lock") remove_tree(folder / name);
  }
  return entries;
}

}  // namespace img
