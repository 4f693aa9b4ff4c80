// SPDX-License-Identifier: Apache-2.0
// Unpacked layers on disk, each made once, and told apart by DiffID and by who owns the files.
//
// Layout under <store>/unpacked:
//   <diff id hex>/         a layer whose files keep the owners that it states (made by root);
//   <diff id hex>-flat/    the same with all files owned by who unpacked it
//     tree/                what overlayfs stacks
//     layer.json           what the tree cannot say (UnpackedFacts), and when it was made
//     synced               there once the layer is known to be on the disk itself
//   <name>.tmp/            being made, under the lock of its name; a leftover of a dead process is
//                          removed by the next one that comes by
//   locks/<name>.lock      one process makes a layer, the others wait
//   users.lock             held shared by every user, exclusive by clear_unpacked
// Promises: a layer under its own name is complete, and its bytes were what digest and DiffID say;
// killing this process at any moment leaves nothing else under such a name; after a power failure
// a layer that may have lost bytes is made anew.
#pragma once

#include "builder/base/json.h"
#include "validators/runner/unpack_layer.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

struct UnpackedLayer {
  fs::path tree;
  UnpackedFacts facts;
};

/// One layer to be had.
struct LayerSource {
  std::string name;  ///< digest, for messages
  DiffId diff_id;
  Compression compression = Compression::none;
  std::uint64_t packed_size = 0;
  std::function<std::unique_ptr<Source>()> open;  ///< verifying, packed
};

/// Thread-safe.
class UnpackedStore {
 public:
  /// `<store>/unpacked`, made when missing. Waits while somebody clears it. UnavailableError when
  /// it cannot be written.
  UnpackedStore(const fs::path& store, Owners owners, UnpackLimits limits = {});

  /// The layer, unpacked now when it is not there (then `on_packed_bytes` is told of progress).
  /// Waits, telling `on_wait` once, while another process unpacks it. Errors as unpack_layer.
  UnpackedLayer get(const LayerSource& layer, std::atomic<std::uint64_t>* image_bytes = nullptr,
                    const std::function<void(std::uint64_t)>& on_packed_bytes = nullptr,
                    const std::function<void(int)>& on_wait = nullptr);

  const fs::path& folder() const { return folder_; }

 private:
  std::string name_of(const DiffId& diff_id) const;
  fs::path lock_of(const std::string& name) const;
  std::optional<UnpackedLayer> find(const std::string& name) const;
  void remove_leftovers() const;
  UnpackedLayer make(const LayerSource& layer, const std::string& name,
                     std::atomic<std::uint64_t>* image_bytes,
                     const std::function<void(std::uint64_t)>& on_packed_bytes) const;

  fs::path folder_;
  Owners owners_;
  UnpackLimits limits_;
  std::optional<FileLock> user_lock_;
};

struct UnpackedEntry {
  std::string name;         ///< folder's name: the DiffID's hex, with "-flat" for ours
  std::uint64_t bytes = 0;  ///< of contents
};
/// Complete layers below `<store>/unpacked`, by name.
std::vector<UnpackedEntry> list_unpacked(const fs::path& store);
/// Removes all of them with their leftovers; returns what there was. UnavailableError while another
/// process uses them.
std::vector<UnpackedEntry> clear_unpacked(const fs::path& store);

}  // namespace img
