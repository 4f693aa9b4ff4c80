// SPDX-License-Identifier: Apache-2.0
// The content-addressed store: wheels, debs, base blobs, finished layers and what was proven about them.
//
// Layout under the root (all names are ours, no name comes from outside):
//   blobs/sha256/<hex>     complete, verified, read-only (0444)
//   verified/<hex>         "inode size mtime ctime" of the blob when its bytes were last hashed
//   facts/<kind>/<key>.json small documents derived from blobs (wheel facts, layer results); checked on read
//   partial/<hex>.part     an interrupted download, resumable
//   locks/<hex>.lock       per-digest flock: one builder downloads or makes, the others wait
//   tmp/                   work in progress; leftovers of dead processes are removed by gc and at start
// Promises: (a) a visible blob is complete and correct; (b) a crash at any moment needs no repair; (c) a changed blob is noticed
// before use, set aside as <hex>.bad and made or fetched anew; (d) any number of builders share a store, gc never
// breaks a running one (shared/exclusive lock on "users.lock"); (e) a full disk never leaves a wrong file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "builder/base/file.h"
#include "builder/base/json.h"
#include "builder/oci/blob_store.h"

namespace img {

struct StoreEntry {
  Digest digest;
  std::uint64_t size = 0;
  std::int64_t last_used = 0;  ///< atime-independent: mtime of verified/<hex>
};

class Store final : public BlobStore {
 public:
  /// Opens or makes the store and holds the shared user lock. A root that cannot be written: SystemError naming it, hint --cache-dir.
  explicit Store(fs::path root);
  ~Store() override;

  /// Flag, else $IMGBUILD_CACHE_DIR, else $XDG_CACHE_HOME/imgbuild, else $HOME/.cache/imgbuild.
  static fs::path default_root(const std::string& flag);

  const fs::path& root() const { return root_; }
  fs::path blob_path(const Digest& digest) const;

  /// True when the blob is there and its bytes are known good (stamp equal, or hashed now and right). A bad one is set aside.
  bool contains(const Digest& digest) const override;
  std::unique_ptr<Source> open(const Digest& digest) const override;
  std::shared_ptr<const InputFile> open_file(const Digest& digest) const;  ///< marks it as used
  std::uint64_t size(const Digest& digest) const override;
  std::unique_ptr<BlobWriter> writer() override;
  /// Takes a complete temporary file over (rename), after the caller verified it against `digest`.
  void adopt(const fs::path& file, const Digest& digest);

  /// Exclusive per-digest (or per-key) lock; waits, telling `on_wait` the holder's pid once.
  FileLock lock(const std::string& key, const std::function<void(int)>& on_wait = nullptr) const;
  fs::path partial_path(const Digest& digest) const;

  /// Small derived documents; kind and key are [a-z0-9-]+ / hex.
  std::optional<Json> find_fact(const std::string& kind, const std::string& key) const;
  void put_fact(const std::string& kind, const std::string& key, const Json& value);

  /// A folder under tmp/ on the same file system.
  std::unique_ptr<TempDir> temp_dir(std::string_view prefix) const;

  std::vector<StoreEntry> list() const;
  struct VerifyResult { std::uint64_t blobs = 0, bytes = 0; std::vector<Digest> bad; };
  /// Hashes every blob; bad ones are set aside.
  VerifyResult verify(const std::function<void(const Digest&, std::uint64_t)>& on_blob = nullptr);
  struct GcResult { std::uint64_t blobs = 0, bytes = 0; };
  /// Removes blobs not used within `older_than` seconds, and then the least recently used until the total is at most `max_bytes`;
  /// also .bad files, partials and tmp leftovers. UnavailableError when another process uses the store.
  GcResult gc(std::optional<std::int64_t> older_than_seconds, std::optional<std::uint64_t> max_bytes, bool dry_run);

 private:
  fs::path root_;
  std::optional<FileLock> user_lock_;
};

}  // namespace img
