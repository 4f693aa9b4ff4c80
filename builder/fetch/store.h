// SPDX-License-Identifier: Apache-2.0
// The content-addressed store: wheels, debs, base blobs, finished layers and what was proven about
// them.
//
// Layout under the root (all names are ours, no name comes from outside):
//   blobs/sha256/<hex>     complete, verified, read-only (0444)
//   blobs/sha256/<hex>.bad a blob that had changed; kept for a look, removed by gc
//   verified/<hex>         what the blob's file looked like when its bytes were last known to be
//   right
//                          (blob_stamp.h); its mtime is when the blob was last used
//   facts/<kind>/<key>.json small documents derived from blobs (wheel facts, layer results);
//   checked on
//                          read, so an edited or torn one counts as missing
//   partial/<hex>.part     an interrupted download, resumable; <hex>.from: where its bytes came
//   from locks/<key>.lock       per-digest flock: one builder downloads or makes, the others wait
//   uv/                    uv's own cache of index pages and metadata; it can be removed at any
//   time
//                          that no Store is open
//   users.lock             held shared by every open Store, exclusive by gc
//   tmp/<pid>-…/           work in progress of one Store, locked while that lives; leftovers of the
//                          dead are removed at start
// Promises: (a) a visible blob is complete and correct; (b) a crash at any moment needs no repair;
// (c) a changed blob is noticed before use, set aside as <hex>.bad and made or fetched anew; (d)
// any number of builders share a store, gc never breaks a running one; (e) a full disk never leaves
// a wrong file.
//
// A store that this user may only read (another user's, a read-only mount) serves its blobs; what
// would be remembered about them is kept in memory, and every attempt to add something is a
// SystemError.
#pragma once

#include "builder/base/file.h"
#include "builder/base/json.h"
#include "builder/fetch/blob_stamp.h"
#include "builder/oci/blob_store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace img {

struct StoreEntry {
  Digest digest;
  std::uint64_t size = 0;
  std::int64_t last_used = 0;  ///< atime-independent: mtime of verified/<hex>
};

/// uv's cache as one thing; all zero when there is none.
struct UvCacheUse {
  std::uint64_t bytes = 0;
  std::int64_t last_used = 0;  ///< newest mtime in it
};

/// Thread-safe, gc() excepted.
class Store final : public BlobStore {
 public:
  /// Opens or makes the store and holds the shared user lock (waits while a gc runs). A root that
  /// can neither be made nor read: SystemError naming it, hint --cache-dir.
  explicit Store(fs::path root);
  ~Store() override;

  /// Flag, else $IMGBUILD_CACHE_DIR, else $XDG_CACHE_HOME/imgbuild, else $HOME/.cache/imgbuild;
  /// absolute.
  static fs::path default_root(const std::string& flag);

  const fs::path& root() const { return root_; }
  fs::path blob_path(const Digest& digest) const;
  bool read_only() const { return read_only_; }
  /// SystemError "cannot write to the cache '<root>'" when it is read-only.
  void require_writable() const;

  /// True when the blob is there and its bytes are known good (stamp equal, or hashed now and
  /// right). A bad one is set aside. Call it once more after hard links to the blob were made, so
  /// that the new link count is remembered.
  bool contains(const Digest& digest) const override;
  /// Like open_file.
  std::unique_ptr<Source> open(const Digest& digest) const override;
  /// Marks the blob as used. UnavailableError when it is not there, IntegrityError when it has
  /// changed.
  std::shared_ptr<const InputFile> open_file(const Digest& digest) const;
  std::uint64_t size(const Digest& digest) const override;
  std::unique_ptr<BlobWriter> writer() override;
  /// Takes a complete temporary file over (rename), after the caller verified it against `digest`.
  /// The file must be on the store's file system. A good blob that is there already is kept.
  void adopt(const fs::path& file, const Digest& digest);
  /// A new name for the blob's bytes: hard link, reflink or copy. Fails when `to` exists.
  void link_to(const Digest& digest, const fs::path& to) const;

  /// Exclusive per-digest (or per-key) lock; waits, telling `on_wait` the holder's pid once. Keys
  /// are [a-z0-9._-]+, e.g. a digest's hex.
  FileLock lock(const std::string& key, const std::function<void(int)>& on_wait = nullptr) const;
  /// nullopt when somebody else holds it.
  std::optional<FileLock> try_lock(const std::string& key) const;
  fs::path partial_path(const Digest& digest) const;
  fs::path uv_cache() const { return root_ / "uv"; }

  /// Small derived documents; kind and key are [a-z0-9._-]+. A read-only store keeps new ones in
  /// memory.
  std::optional<Json> find_fact(const std::string& kind, const std::string& key) const;
  void put_fact(const std::string& kind, const std::string& key, const Json& value);

  /// A folder under tmp/ on the same file system.
  std::unique_ptr<TempDir> temp_dir(std::string_view prefix) const;

  /// All blobs, by digest.
  std::vector<StoreEntry> list() const;
  UvCacheUse uv_cache_use() const;
  struct VerifyResult {
    std::uint64_t blobs = 0, bytes = 0;
    std::vector<Digest> bad;
  };
  /// Hashes every blob, whatever its stamp says; bad ones are set aside. `on_blob` is told each
  /// blob and its size before it is hashed. When a blob was last used does not change.
  VerifyResult verify(const std::function<void(const Digest&, std::uint64_t)>& on_blob = nullptr);
  struct GcResult {
    std::uint64_t blobs = 0;      ///< removed (or that would be)
    std::uint64_t bytes = 0;      ///< of the blobs and of uv's cache
    std::uint64_t leftovers = 0;  ///< .bad files, partials and leftovers of dead processes
    bool uv_cache = false;        ///< uv's cache is removed too
  };
  /// Removes blobs not used within `older_than` seconds, and then the least recently used until the
  /// total is at most `max_bytes`, uv's cache being treated like one more blob; also .bad files,
  /// partials and tmp leftovers. UnavailableError when another process uses the store.
  GcResult gc(std::optional<std::int64_t> older_than_seconds,
              std::optional<std::uint64_t> max_bytes, bool dry_run);

 private:
  friend class StoreWriter;
  enum class State { absent, good, bad };
  struct Session;

  void open_folders();
  void open_session() const;
  fs::path temporary_name(std::string_view prefix) const;
  fs::path stamp_path(std::string_view hex) const;
  State check(const Digest& digest, Digest* got = nullptr) const;
  State hash_blob(const Digest& digest, const struct stat& info, Digest* got,
                  bool keep_last_used) const;
  std::optional<BlobStamp> stamp_that_vouches(const std::string& hex, const BlobStamp& now) const;
  void remember(const std::string& hex, const BlobStamp& stamp, bool keep_last_used) const;
  void remember_new(const Digest& digest) const;
  void set_aside(const Digest& digest, const struct stat& seen) const;
  void mark_used(const Digest& digest) const;
  std::int64_t last_used(std::string_view hex) const;
  struct Victim;
  std::vector<Victim> gc_victims(std::optional<std::int64_t> older_than_seconds,
                                 std::optional<std::uint64_t> max_bytes) const;
  GcResult collect(std::optional<std::int64_t> older_than_seconds,
                   std::optional<std::uint64_t> max_bytes, bool dry_run) const;
  void remove_blob(const Digest& digest) const;
  std::uint64_t remove_leftovers(bool dry_run) const;
  std::uint64_t remove_dead_sessions(bool dry_run) const;

  fs::path root_;
  bool read_only_ = false;
  std::optional<FileLock> user_lock_;
  mutable std::mutex mutex_;                        ///< guards what follows
  mutable std::map<std::string, BlobStamp> known_;  ///< by hex
  std::map<std::string, Json> facts_;               ///< new ones of a read-only store
  mutable std::unique_ptr<Session> session_;
};

}  // namespace img
