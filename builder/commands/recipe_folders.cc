// SPDX-License-Identifier: Apache-2.0
// Finds the shipped recipes from where the program lies.

#include "builder/commands/recipe_folders.h"

namespace img {
namespace {

std::vector<fs::path> shipped_recipe_folders() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path bin = program.parent_path();
  std::vector<fs::path> folders;
  for (const fs::path& candidate :
       {bin / "../share/imgbuild/layers", bin / "../../layers", bin / "../layers"}) {
    if (fs::is_directory(candidate, error)) folders.push_back(fs::canonical(candidate, error));
  }
  return folders;
}

}  // namespace

LoadOptions recipe_folders(const std::vector<std::string>& flags) {
  LoadOptions options;
  for (const std::string& folder : flags) options.recipe_folders.push_back(folder);
  for (const fs::path& folder : shipped_recipe_folders()) options.recipe_folders.push_back(folder);
  return options;
}

}  // namespace img
