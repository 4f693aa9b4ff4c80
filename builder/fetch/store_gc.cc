// SPDX-License-Identifier: Apache-2.0
// Looking after the store: list, verify, gc, leftovers.
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/fetch/store.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

std::optional<Digest> digest_of_name(const std::string& name) {
  try {
    return Digest::parse("sha256:" + name);
  } catch (const Error&) {
    return std::nullopt;  // a .bad file, or nothing of ours
  }
}

std::vector<std::string> names_if_there(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) return {};
  return sorted_names(folder);
}

/// Bytes and newest mtime of a file, or of a folder with everything below it.
void add_use(const fs::path& path, UvCacheUse& use) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return;  // gone meanwhile
  use.last_used = std::max<std::int64_t>(use.last_used, info.st_mtim.tv_sec);
  if (S_ISDIR(info.st_mode)) {
    for (const std::string& name : names_if_there(path)) add_use(path / name, use);
  } else {
    use.bytes += static_cast<std::uint64_t>(info.st_size);
  }
}

}  // namespace

/// What gc removes as one.
struct Store::Victim {
  std::optional<Digest> blob;  ///< nullopt: uv's cache
  std::uint64_t size = 0;
  std::int64_t last_used = 0;
};

UvCacheUse Store::uv_cache_use() const {
  UvCacheUse use;
  add_use(uv_cache(), use);
  return use;
}

std::int64_t Store::last_used(std::string_view hex) const {
  struct stat info {};
  if (stat(stamp_path(hex).c_str(), &info) == 0) return info.st_mtim.tv_sec;
  if (lstat((root_ / "blobs/sha256" / hex).c_str(), &info) == 0) return info.st_mtim.tv_sec;
  return 0;
}

std::vector<StoreEntry> Store::list() const {
  std::vector<StoreEntry> entries;
  const fs::path folder = root_ / "blobs/sha256";
  for (const std::string& name : names_if_there(folder)) {
    const std::optional<Digest> digest = digest_of_name(name);
    struct stat info {};
    if (!digest || lstat((folder / name).c_str(), &info) != 0) continue;
    entries.push_back({*digest, static_cast<std::uint64_t>(info.st_size), last_used(name)});
  }
  return entries;
}

Store::VerifyResult Store::verify(
    const std::function<void(const Digest&, std::uint64_t)>& on_blob) {
  VerifyResult result;
  for (const StoreEntry& entry : list()) {
    check_interrupt();
    struct stat info {};
    if (lstat(blob_path(entry.digest).c_str(), &info) != 0) continue;  // gone meanwhile
    if (on_blob) on_blob(entry.digest, entry.size);
    ++result.blobs;
    result.bytes += entry.size;
    State state = State::bad;
    if (S_ISREG(info.st_mode)) {
      state = hash_blob(entry.digest, info, nullptr, true);
    } else {
      set_aside(entry.digest, info);
    }
    if (state == State::bad) result.bad.push_back(entry.digest);
  }
  return result;
}

std::vector<Store::Victim> Store::gc_victims(std::optional<std::int64_t> older_than_seconds,
                                             std::optional<std::uint64_t> max_bytes) const {
  std::vector<Victim> entries;
  for (const StoreEntry& blob : list()) entries.push_back({blob.digest, blob.size, blob.last_used});
  const UvCacheUse uv = uv_cache_use();
  if (uv.last_used != 0) entries.push_back({std::nullopt, uv.bytes, uv.last_used});
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Victim& a, const Victim& b) { return a.last_used < b.last_used; });
  std::uint64_t total = 0;
  for (const Victim& entry : entries) total += entry.size;
  const std::int64_t now = std::time(nullptr);
  std::vector<Victim> victims;
  for (const Victim& entry : entries) {
    const bool old = older_than_seconds && now - entry.last_used > *older_than_seconds;
    const bool too_much = max_bytes && total > *max_bytes;
    if (!old && !too_much) break;  // all that follow were used later
    total -= entry.size;
    victims.push_back(entry);
  }
  return victims;
}

void Store::remove_blob(const Digest& digest) const {
  const std::string hex(digest.hex());
  {
    const std::lock_guard guard(mutex_);
    known_.erase(hex);
  }
  remove_tree(blob_path(digest));
  remove_tree(stamp_path(hex));
  for (const std::string& kind : names_if_there(root_ / "facts")) {
    remove_tree(root_ / "facts" / kind / (hex + ".json"));
  }
}

std::uint64_t Store::remove_dead_sessions(bool dry_run) const {
  std::uint64_t count = 0;
  for (const std::string& name : names_if_there(root_ / "tmp")) {
    const fs::path folder = root_ / "tmp" / name;
    try {
      const auto lock = FileLock::try_lock(folder / "lock", FileLock::Mode::exclusive);
      if (!lock) continue;  // it lives
      ++count;
      if (!dry_run) remove_tree(folder);
    } catch (const SystemError&) {
      // Gone meanwhile, or not ours to remove.
    }
  }
  return count;
}

std::uint64_t Store::remove_leftovers(bool dry_run) const {
  std::uint64_t count = 0;
  const auto remove = [&](const fs::path& path) {
    ++count;
    if (!dry_run) remove_tree(path);
  };
  for (const std::string& name : names_if_there(root_ / "blobs/sha256")) {
    if (!digest_of_name(name)) remove(root_ / "blobs/sha256" / name);
  }
  for (const std::string& name : names_if_there(root_ / "partial"))
    remove(root_ / "partial" / name);
  for (const std::string& name : names_if_there(root_ / "verified")) {
    struct stat info {};
    if (lstat((root_ / "blobs/sha256" / name).c_str(), &info) != 0) {
      remove(root_ / "verified" / name);
    }
  }
  if (!dry_run) {
    for (const std::string& name : names_if_there(root_ / "locks")) {
      remove_tree(root_ / "locks" / name);
    }
  }
  return count + remove_dead_sessions(dry_run);
}

Store::GcResult Store::collect(std::optional<std::int64_t> older_than_seconds,
                               std::optional<std::uint64_t> max_bytes, bool dry_run) const {
  GcResult result;
  for (const Victim& victim : gc_victims(older_than_seconds, max_bytes)) {
    check_interrupt();
    result.bytes += victim.size;
    if (victim.blob) {
      if (!dry_run) remove_blob(*victim.blob);
      ++result.blobs;
    } else {
      if (!dry_run) remove_tree(uv_cache());
      result.uv_cache = true;
    }
  }
  result.leftovers = remove_leftovers(dry_run);
  return result;
}

Store::GcResult Store::gc(std::optional<std::int64_t> older_than_seconds,
                          std::optional<std::uint64_t> max_bytes, bool dry_run) {
  if (dry_run) return collect(older_than_seconds, max_bytes, true);
  require_writable();
  const fs::path lock_path = root_ / "users.lock";
  user_lock_.reset();
  std::optional<FileLock> alone = FileLock::try_lock(lock_path, FileLock::Mode::exclusive);
  const auto become_user_again = [&] {
    alone.reset();
    user_lock_.emplace(lock_path, FileLock::Mode::shared);
  };
  if (!alone) {
    become_user_again();
    throw UnavailableError(
        ErrorText{.message = "the cache '" + root_.string() + "' is in use by another process",
                  .hint = "run it again when no build uses the cache"});
  }
  try {
    const GcResult result = collect(older_than_seconds, max_bytes, false);
    become_user_again();
    return result;
  } catch (...) {
    become_user_again();
    throw;
  }
}

}  // namespace img
