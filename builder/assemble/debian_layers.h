// SPDX-License-Identifier: Apache-2.0
// Trees of debian layers: each is what its packages add to the layers below it.
#pragma once

#include "builder/assemble/debian_root.h"
#include "builder/assemble/files_tree.h"
#include "builder/assemble/layer_tree.h"
#include "builder/assemble/plan.h"
#include "builder/oci/media_type.h"

#include <optional>
#include <string>
#include <vector>

namespace img {

/// What decides the bytes of debian layer `index` of `layers` (all debian layers of the image,
/// bottom to top): its own and all lower packages and drop rules.
Json debian_key_inputs(const std::vector<const PlannedLayer*>& layers, std::size_t index,
                       Compression compression);

/// A layer's tree and what must live as long as it.
struct DebianLayerTree {
  DebianRoot root;
  MergedTree lower;
  Tree tree;                         ///< sealed
  std::optional<Accounts> accounts;  ///< of the whole root
};

/// Installs the packages of layers [0, index] and keeps what `lower_layers` (the finished blobs of
/// the layers below) do not have.
DebianLayerTree make_debian_layer(const std::vector<const PlannedLayer*>& layers, std::size_t index,
                                  const std::vector<Descriptor>& lower_layers, const Store& store,
                                  Progress& progress);

/// The account files in a tree; nullopt when it has none.
std::optional<Accounts> accounts_in(const Tree& tree);

}  // namespace img
