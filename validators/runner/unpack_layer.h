// SPDX-License-Identifier: Apache-2.0
// Turns the bytes of one layer into a folder that overlayfs can stack, trusting none of them.
#pragma once

#include "builder/layer/layer_reader.h"
#include "builder/oci/digest.h"
#include "validators/runner/safe_folder.h"

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace img {

/// Excess is an InputError that names the limit. `bytes` count plain bytes of contents.
struct UnpackLimits {
  std::uint64_t layer_bytes = 64ull << 30;
  std::uint64_t layer_entries = 2'000'000;
  std::uint64_t image_bytes = 128ull << 30;  ///< of all layers that one image unpacks
  /// A layer above `ratio_floor` plain bytes may be at most this many times its packed size.
  std::uint64_t ratio = 500;
  std::uint64_t ratio_floor = 1ull << 30;
  /// Free space that must be left on the disk; less is an UnavailableError.
  std::uint64_t keep_free = 512ull << 20;
};

enum class Owners {
  kept,  ///< uid and gid of the layer (needs root)
  ours,  ///< everything belongs to who unpacks
};

/// What a folder cannot say about the layer that it was made from.
struct UnpackedFacts {
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;  ///< of contents
  /// Folders that no entry of the layer declares; a lower layer's attributes hold for them.
  std::set<std::string> implied;
  bool hides_everything_below = false;  ///< the layer's root is opaque
  /// Devices and fifos, which are never made: "'dev/sda' is a block device". At most
  /// kMostNotMade of them.
  std::vector<std::string> not_made;
  std::uint64_t not_made_count = 0;
};
inline constexpr std::size_t kMostNotMade = 20;

struct UnpackRequest {
  const SafeFolder& target;  ///< empty
  std::string name;          ///< of the layer, for messages
  DiffId diff_id;
  Compression compression = Compression::none;
  std::uint64_t packed_size = 0;
  Owners owners = Owners::ours;
  UnpackLimits limits = {};
  std::atomic<std::uint64_t>* image_bytes = nullptr;  ///< shared by the layers of one image
  std::function<void(std::uint64_t)> on_packed_bytes = nullptr;
};

/// Reads `packed` (verifying, to its end) and writes what it holds below the target: files,
/// folders, symlinks and hard links with permission bits (setuid and setgid are dropped) and
/// mtimes; whiteouts as overlayfs wants them (a character device 0:0, and the extended attribute
/// `user.overlay.opaque`, for mounts with `userxattr`). Extended attributes of the layer are not
/// kept. Folders are at least searchable for their owner while unpacking only.
/// IntegrityError when bytes are not what `packed` or the DiffID promise, InputError (as read_tar)
/// for what is no proper layer or exceeds a limit, UnavailableError for a full disk. After an error
/// the target is in any state.
UnpackedFacts unpack_layer(Source& packed, const UnpackRequest& request);

}  // namespace img
