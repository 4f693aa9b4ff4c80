// SPDX-License-Identifier: Apache-2.0
// Which recipe a wheel of the closure lives in.
#pragma once

#include "builder/manifest/build_manifest.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace img {

/// One wheels recipe, in the order of the image.
struct AssignedRecipe {
  std::string layer;
  std::vector<std::string> owns;  ///< normalised names, '*' allowed
  std::set<std::string>
      needs;  ///< closure of its requirements together with those of the recipes below
  Position position;
};

/// distribution → layer. The owner, else the lowest recipe that needs it. ManifestError when two
/// recipes own a wheel, when an `owns` matches nothing of the closure, and when nobody needs one
/// (that is a bug of the solver).
std::map<std::string, std::string> assign_layers(const std::vector<AssignedRecipe>& recipes,
                                                 const std::set<std::string>& closure);

}  // namespace img
