// SPDX-License-Identifier: Apache-2.0
// Finished layers by the digest of their inputs.
#pragma once

#include "builder/assemble/files_tree.h"
#include "builder/fetch/store.h"
#include "builder/oci/image.h"

#include <functional>
#include <optional>
#include <string>

namespace img {

/// A cached layer and the account files after it, when it has them.
struct CachedLayer {
  Layer layer;
  std::optional<Accounts> accounts;
};

/// Key of a layer: hex digest of the canonical JSON of everything that decides its bytes.
std::string layer_key(const Json& inputs);

/// The layer made from these inputs, when its blob is in the store and good.
std::optional<CachedLayer> find_layer(const Store& store, const std::string& key);
void remember_layer(Store& store, const std::string& key, const CachedLayer& layer);

}  // namespace img
