// SPDX-License-Identifier: Apache-2.0
// Which recipe a wheel of the closure lives in.
#include "builder/resolve/assign.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

namespace img {
namespace {

std::map<std::string, const AssignedRecipe*> find_owners(const std::vector<AssignedRecipe>& recipes,
                                                         const std::set<std::string>& closure) {
  std::map<std::string, const AssignedRecipe*> owners;
  for (const AssignedRecipe& recipe : recipes) {
    for (const std::string& pattern : recipe.owns) {
      bool matched = false;
      for (const std::string& name : closure) {
        if (!glob_match(pattern, name)) continue;
        matched = true;
        const auto [owner, fresh] = owners.emplace(name, &recipe);
        if (fresh || owner->second == &recipe) continue;
        throw ManifestError(ErrorText{.message = "wheel '" + name + "' is owned by two recipes, '" +
                                                 owner->second->layer + "' and '" + recipe.layer +
                                                 "'",
                                      .position = recipe.position,
                                      .hint = "leave it out of the `owns` of one of them"});
      }
      if (!matched) {
        throw ManifestError(
            ErrorText{.message = "recipe '" + recipe.layer + "' owns '" + pattern +
                                 "', which is no wheel of this image",
                      .position = recipe.position,
                      .hint = "remove the recipe, or require a package that needs this wheel"});
      }
    }
  }
  return owners;
}

const AssignedRecipe* lowest_that_needs(const std::vector<AssignedRecipe>& recipes,
                                        const std::string& name) {
  for (const AssignedRecipe& recipe : recipes) {
    if (recipe.needs.contains(name)) return &recipe;
  }
  return nullptr;
}

}  // namespace

std::map<std::string, std::string> assign_layers(const std::vector<AssignedRecipe>& recipes,
                                                 const std::set<std::string>& closure) {
  const auto owners = find_owners(recipes, closure);
  std::map<std::string, std::string> layers;
  for (const std::string& name : closure) {
    const auto owner = owners.find(name);
    const AssignedRecipe* recipe =
        owner != owners.end() ? owner->second : lowest_that_needs(recipes, name);
    if (recipe == nullptr) throw InternalError("no recipe needs the solved wheel '" + name + "'");
    layers[name] = recipe->layer;
  }
  return layers;
}

}  // namespace img
