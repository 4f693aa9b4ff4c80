// SPDX-License-Identifier: Apache-2.0
// Which layers an image gets and what goes into each: a pure function of manifest and lock.
#pragma once

#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"

#include <cstdint>
#include <string>
#include <vector>

namespace img {

/// A wheel of at least this many packed bytes gets a blob of its own, so that images share it; the
/// smaller ones of a recipe share one.
inline constexpr std::uint64_t kOwnBlobBytes = 64ull << 20;

enum class LayerKind { debian, wheels, files, oci };
std::string_view to_string(LayerKind kind);

/// One layer to make. `recipe` points into the manifest the plan was made from, wheels and debs
/// into the lock: both must outlive the plan.
struct PlannedLayer {
  LayerKind kind = LayerKind::files;
  const Recipe* recipe = nullptr;
  std::string title;                       ///< for people: "torch 2.8.0", "6 wheels", "90 packages"
  std::vector<const LockedWheel*> wheels;  ///< of this layer
  std::vector<const LockedDeb*> debs;      ///< new in this layer
  bool makes_venv = false;                 ///< the venv's skeleton goes in here
  bool has_directories = false;            ///< the recipe's extra folders go in here
  std::uint64_t input_bytes = 0;           ///< packed bytes of its inputs
};

/// Bottom to top. A wheels recipe gives one layer a big wheel (by name) and one for the rest; a
/// recipe that brings nothing gives none. ManifestError when the lock names a recipe that the
/// manifest lacks.
std::vector<PlannedLayer> make_plan(const BuildManifest& manifest, const LockFile& lock);

}  // namespace img
