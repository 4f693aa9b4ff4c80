// SPDX-License-Identifier: Apache-2.0
// What a container would see when unpacked layers are stacked, looked up without mounting them.
#pragma once

#include "validators/runner/safe_folder.h"
#include "validators/runner/unpacked_store.h"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace img {

enum class PlaceKind { absent, folder, link, other };

struct StackedPlace {
  PlaceKind kind = PlaceKind::absent;
  std::uint32_t mode = 0755, uid = 0, gid = 0;  ///< of a folder: those that the image declares
  std::string target;                           ///< of a link
};

/// Layers as unpack_layer made them. Lookups never follow a link on the host. Not thread-safe.
class LayerStack {
 public:
  /// Bottom to top.
  explicit LayerStack(const std::vector<UnpackedLayer>& layers);

  /// What is at `path` ("usr/lib"; "" is the root), no link followed anywhere: a path below a link
  /// or a file is absent.
  StackedPlace look(const std::string& path) const;

  /// The folder that an absolute or relative `path` means inside the image, as an absolute path:
  /// links are followed from the image's root, at most 40 of them. What is not there stands for
  /// itself. InputError when it leads through a file or links go in a circle.
  std::string resolve(const std::string& path) const;

  /// Folders whose topmost layer only implies them, though a lower layer declares them.
  std::vector<std::string> hidden_attributes() const;

  /// Trees from the topmost down, as far as anything of them can be seen.
  std::vector<fs::path> trees() const;

 private:
  struct Layer {
    SafeFolder tree;
    const UnpackedFacts* facts;
  };
  enum class Presence { absent, folder, opaque_folder, hidden, link, other };
  struct Found {
    Presence presence = Presence::absent;
    StackedPlace place;
  };
  static Found find(const Layer& layer, const std::string& path);
  bool is_declared_below(const std::string& path) const;
  std::size_t visible_in(const std::string& folder) const;
  std::size_t visible_below(const std::string& folder, std::size_t visible) const;

  std::vector<Layer> layers_;  // topmost first
  /// Folder → how many layers can be seen in it. Deep paths are asked for folder by folder: without
  /// this each costs as much as all those above it.
  mutable std::unordered_map<std::string, std::size_t> visible_;
};

}  // namespace img
