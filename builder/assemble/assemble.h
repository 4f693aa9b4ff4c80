// SPDX-License-Identifier: Apache-2.0
// Manifest + lock + store → a finished image: every layer made or taken from the cache, then the
// documents.
#pragma once

#include "builder/assemble/image_document.h"
#include "builder/base/progress.h"
#include "builder/fetch/store.h"
#include "builder/layout/image_layout.h"
#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"

#include <cstdint>
#include <string>
#include <vector>

namespace img {

enum class LayerCache {
  use,            ///< take every finished layer that the store has
  remake_wheels,  ///< make wheel layers anew
  remake_all,     ///< make everything anew
};

struct AssembleOptions {
  Compression compression = Compression::zstd;
  int jobs = 1;  ///< threads; never changes a byte
  LayerCache cache = LayerCache::use;
};

struct BuiltLayer {
  DescribedLayer described;
  bool of_base = false;  ///< taken over from the base image (kind oci)
  bool cached = false;   ///< not made in this build
  double seconds = 0;    ///< wall time to make it; 0 when cached
};

struct BuiltImage {
  std::vector<BuiltLayer> layers;  ///< all of the image, bottom to top
  ImageDocuments documents;
  std::uint64_t packed_bytes = 0, unpacked_bytes = 0;  ///< of all layers
};

/// Makes the image in the store; every locked file must be there already (fetch_all). Digest and
/// bytes depend on manifest, lock, local files, compression and kOutputVersion only.
BuiltImage assemble(const BuildManifest& manifest, const LockFile& lock, Store& store,
                    Progress& progress, const AssembleOptions& options);

/// What write_layout needs to write it. `store` must outlive it; its blobs stay known as good
/// whatever becomes of the links in the layout.
LayoutImage layout_of(const BuiltImage& image, const BuildManifest& manifest, const Store& store);

}  // namespace img
