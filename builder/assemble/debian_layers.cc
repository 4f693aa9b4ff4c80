// SPDX-License-Identifier: Apache-2.0
// Stacks debian recipes: one installed root a recipe, the difference is the layer.

#include "builder/assemble/debian_layers.h"

#include "builder/base/text.h"
#include "builder/layer/layer_format.h"

namespace img {
namespace {

const DebianSpec& spec_of(const PlannedLayer& layer) {
  return std::get<DebianSpec>(layer.recipe->spec);
}

std::vector<LockedDeb> debs_up_to(const std::vector<const PlannedLayer*>& layers,
                                  std::size_t index) {
  std::vector<LockedDeb> debs;
  for (std::size_t i = 0; i <= index; ++i) {
    for (const LockedDeb* deb : layers[i]->debs) debs.push_back(*deb);
  }
  return debs;
}

/// Drop rules of a lower recipe hold for the packages above it too: a man page is one wherever it
/// comes from.
struct Drops {
  std::vector<DropGlob> drop;
  std::vector<std::string> keep;
};
Drops drops_up_to(const std::vector<const PlannedLayer*>& layers, std::size_t index) {
  Drops drops;
  for (std::size_t i = 0; i <= index; ++i) {
    const DebianSpec& spec = spec_of(*layers[i]);
    drops.drop.insert(drops.drop.end(), spec.drop.begin(), spec.drop.end());
    drops.keep.insert(drops.keep.end(), spec.keep.begin(), spec.keep.end());
  }
  return drops;
}

void require_own_drops_apply(const PlannedLayer& layer,
                             const std::vector<std::pair<std::uint64_t, std::uint64_t>>& dropped,
                             std::size_t first_own) {
  const auto& own = spec_of(layer).drop;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (dropped[first_own + i].first != 0) continue;
    throw ManifestError(ErrorText{.message = "drop rule '" + own[i].glob + "' of recipe '" +
                                             layer.recipe->name +
                                             "' matches no file of its packages",
                                  .hint = "remove the rule, or correct the glob"});
  }
}

}  // namespace

Json debian_key_inputs(const std::vector<const PlannedLayer*>& layers, std::size_t index,
                       Compression compression) {
  Json recipes = Json::array();
  for (std::size_t i = 0; i <= index; ++i) {
    Json debs = Json::array(), drop = Json::array(), directories = Json::array();
    for (const LockedDeb* deb : layers[i]->debs) debs.push_back(deb->sha256.str());
    for (const DropGlob& glob : spec_of(*layers[i]).drop) drop.push_back(glob.glob);
    for (const DirectorySpec& d : layers[i]->recipe->directories) {
      directories.push_back({d.path, d.mode, d.uid, d.gid});
    }
    recipes.push_back({{"suite", spec_of(*layers[i]).suite},
                       {"debs", debs},
                       {"drop", drop},
                       {"keep", spec_of(*layers[i]).keep},
                       {"directories", directories}});
  }
  return {{"kind", "debian"},
          {"format", output_format()},
          {"compression", to_string(compression)},
          {"recipes", recipes}};
}

std::optional<Accounts> accounts_in(const Tree& tree) {
  const Entry* passwd = tree.find(EntryPath::parse("etc/passwd"));
  const Entry* group = tree.find(EntryPath::parse("etc/group"));
  if (passwd == nullptr || group == nullptr) return std::nullopt;
  constexpr std::uint64_t kLimit = 1 << 20;
  return Accounts{read_content(passwd->content, kLimit), read_content(group->content, kLimit)};
}

DebianLayerTree make_debian_layer(const std::vector<const PlannedLayer*>& layers, std::size_t index,
                                  const std::vector<Descriptor>& lower_layers, const Store& store,
                                  Progress& progress) {
  DebianLayerTree result;
  result.root =
      make_debian_root(debs_up_to(layers, index), spec_of(*layers[index]).suite, store, progress);
  Tree& root = result.root.tree;
  const Drops drops = drops_up_to(layers, index);
  const auto dropped = apply_drops(root, drops.drop, drops.keep);
  require_own_drops_apply(*layers[index], dropped,
                          drops.drop.size() - spec_of(*layers[index]).drop.size());
  for (std::size_t i = 0; i <= index; ++i) add_directories(*layers[i]->recipe, root);
  root.seal("recipe " + layers[index]->recipe->name);
  result.accounts = accounts_in(root);
  if (lower_layers.empty()) {
    result.tree = std::move(root);
  } else {
    result.lower = merge_layers(lower_layers, store);
    result.tree = tree_difference(result.lower.tree, root);
  }
  return result;
}

}  // namespace img
