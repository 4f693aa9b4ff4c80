// SPDX-License-Identifier: Apache-2.0
// Finished layers → the merged tree they make (whiteouts applied), with contents spooled to one
// file.
#pragma once

#include "builder/fetch/store.h"
#include "builder/layer/tree.h"
#include "builder/oci/image.h"

#include <memory>
#include <vector>

namespace img {

/// The tree and the folder that holds its contents: destroyed together.
struct MergedTree {
  std::unique_ptr<TempDir> spool;
  Tree tree;  ///< sealed
};

/// Reads the layers (blobs of the store, bottom to top) and merges them as a runtime would.
MergedTree merge_layers(const std::vector<Descriptor>& layers, const Store& store);

}  // namespace img
