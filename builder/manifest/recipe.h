// SPDX-License-Identifier: Apache-2.0
// Finds a recipe and reads what all kinds have in common.
#pragma once

#include "builder/base/yaml.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/variables.h"

#include <string>
#include <vector>

namespace img {

/// What reading a recipe needs to know about its surroundings.
struct RecipeContext {
  const Variables& variables;
  fs::path folder;   ///< relative paths in it start here
  std::string what;  ///< "layer 'cuda'"
};

/// Where recipes are looked for by name, best first, with the folder as the user would name it.
struct RecipeSearch {
  std::vector<fs::path> folders;
};
/// "layers/" beside the manifest and beside each parent folder, then `extra`.
RecipeSearch recipe_search(const fs::path& manifest_file, const std::vector<fs::path>& extra);

/// One item of `layers:`: a name, a path "./x.yaml", or an inline mapping.
Recipe load_recipe(const YamlNode& item, const fs::path& manifest_file, const RecipeSearch& search,
                   const Variables& variables);

// The keys of one kind. The caller has asked for the common ones and calls finish().
DebianSpec read_debian(YamlReader& reader, const RecipeContext& context);
WheelsSpec read_wheels(YamlReader& reader, const RecipeContext& context);
FilesSpec read_files(YamlReader& reader, const RecipeContext& context);
OciSpec read_oci(YamlReader& reader, const RecipeContext& context);

}  // namespace img
