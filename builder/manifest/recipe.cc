// SPDX-License-Identifier: Apache-2.0
// Finds a recipe and reads what all kinds have in common.
#include "builder/manifest/recipe.h"

#include "builder/base/text.h"
#include "builder/manifest/fields.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

constexpr const char* kRecipeSchema = "imglayer/v1";

/// "cudnn", "base/debian-bookworm": lower case, no empty part, no '.' or '..'.
bool is_recipe_name(std::string_view name) {
  for (const std::string& part : split(name, '/')) {
    if (part.empty() || part[0] == '.' || part[0] == '-') return false;
    for (const char c : part) {
      const bool good =
          (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
      if (!good) return false;
    }
  }
  return name.size() <= 128;
}

/// The path as the user would write it: below the working folder when the manifest was given that
/// way.
fs::path display_path(const fs::path& path, bool relative) {
  if (!relative) return path;
  const fs::path here = path.lexically_relative(fs::current_path());
  return here.empty() || *here.begin() == ".." ? path : here;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end;
       entry.increment(ignored)) {
    if (ignored || names.size() > 10'000) break;
    if (entry->path().extension() != ".yaml") continue;
    names.push_back(entry->path().lexically_relative(folder).replace_extension().generic_string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

[[noreturn]] void fail_not_found(const YamlNode& item, const RecipeSearch& search) {
  std::vector<std::string> names;
  for (const fs::path& folder : search.folders) {
    const std::vector<std::string> more = names_in(folder);
    names.insert(names.end(), more.begin(), more.end());
  }
  const auto near = did_you_mean(item.text(), names);
  std::string hint;
  if (near) {
    hint = "did you mean '" + *near + "'?";
  } else if (search.folders.empty()) {
    hint = "there is no folder 'layers' beside the manifest or above it";
  } else {
    std::vector<std::string> folders;
    for (const fs::path& folder : search.folders) folders.push_back("'" + folder.string() + "'");
    hint = "recipes are looked for in " + join(folders, ", ");
  }
  item.fail("unknown recipe '" + item.text() + "'", hint);
}

fs::path find_by_name(const YamlNode& item, const RecipeSearch& search) {
  if (!is_recipe_name(item.text())) {
    item.fail("'" + item.text() + "' is no name of a recipe",
              "write a name such as 'cuda', or a path that starts with './'");
  }
  for (const fs::path& folder : search.folders) {
    const fs::path file = folder / (item.text() + ".yaml");
    std::error_code ignored;
    if (fs::is_regular_file(file, ignored)) return file;
  }
  fail_not_found(item, search);
}

fs::path find_by_path(const YamlNode& item, const fs::path& folder) {
  fs::path file = (folder / item.text()).lexically_normal();
  std::error_code ignored;
  if (file.extension() != ".yaml" || !fs::is_regular_file(file, ignored)) {
    item.fail("there is no recipe '" + file.string() + "'",
              "a path names a .yaml file, relative to the manifest");
  }
  return file;
}

void read_common(YamlReader& reader, Recipe& recipe, const RecipeContext& context) {
  if (const YamlNode* summary = reader.optional("summary")) {
    recipe.summary = context.variables.fill(*summary, reader.name_of("summary"));
    if (recipe.summary.find('\n') != std::string::npos) {
      summary->fail("the summary of " + context.what + " has more than one line");
    }
  }
  if (const YamlNode* env = reader.optional("env")) {
    recipe.env = environment_field(*env, reader.name_of("env"));
  }
  if (const YamlNode* directories = reader.optional("directories")) {
    recipe.directories = directories_field(*directories, reader.name_of("directories"));
  }
}

void read_spec(YamlReader& reader, Recipe& recipe, const RecipeContext& context) {
  const std::string kind = reader.text("kind");
  if (kind == "debian") {
    recipe.spec = read_debian(reader, context);
  } else if (kind == "wheels") {
    recipe.spec = read_wheels(reader, context);
  } else if (kind == "files") {
    FilesSpec files = read_files(reader, context);
    // One list for all folders of the layer: `directories` is a key of every kind.
    files.directories = std::move(recipe.directories);
    recipe.directories.clear();
    recipe.spec = std::move(files);
  } else if (kind == "oci") {
    recipe.spec = read_oci(reader, context);
  } else {
    const std::vector<std::string> kinds = {"debian", "wheels", "files", "oci"};
    const auto near = did_you_mean(kind, kinds);
    reader.required("kind").fail(
        "unknown kind '" + kind + "' in " + context.what,
        near ? "did you mean '" + *near + "'?" : "kinds: debian, wheels, files, oci");
  }
}

Recipe read_recipe(YamlReader& reader, Recipe recipe, const RecipeContext& context) {
  read_common(reader, recipe, context);
  read_spec(reader, recipe, context);
  reader.finish();
  return recipe;
}

void check_schema(YamlReader& reader, const YamlNode& schema) {
  if (schema.as_text(reader.name_of("schema")) != kRecipeSchema) {
    schema.fail("unknown schema '" + schema.text() + "' in " + reader.what(),
                "write '" + std::string(kRecipeSchema) + "'");
  }
}

Recipe load_file(const YamlNode& item, const std::string& name, const fs::path& file,
                 const Variables& variables) {
  const std::string what = "layer '" + name + "'";
  const YamlNode root = parse_yaml(read_file(file, 2 << 20), file.string());
  YamlReader reader(root, what);
  check_schema(reader, reader.required("schema"));
  Recipe recipe;
  recipe.name = name;
  recipe.file = file.string();
  recipe.position = item.position();
  return read_recipe(reader, std::move(recipe), {variables, file.parent_path(), what});
}

Recipe load_inline(const YamlNode& item, const fs::path& manifest_file,
                   const Variables& variables) {
  YamlReader naming(item, "an inline layer");
  const YamlNode& name = naming.required("name");
  if (!is_recipe_name(name.as_text(naming.name_of("name")))) {
    name.fail("'" + name.text() + "' is no name of a layer",
              "use lower-case letters, digits, '-', '_' and '.'");
  }
  const std::string what = "layer '" + name.text() + "'";
  YamlReader reader(item, what);
  reader.required("name");
  if (const YamlNode* schema = reader.optional("schema")) check_schema(reader, *schema);
  Recipe recipe;
  recipe.name = name.text();
  recipe.file = manifest_file.string();
  recipe.position = name.position();
  return read_recipe(reader, std::move(recipe), {variables, manifest_file.parent_path(), what});
}

}  // namespace

RecipeSearch recipe_search(const fs::path& manifest_file, const std::vector<fs::path>& extra) {
  RecipeSearch search;
  std::set<fs::path> seen;
  const auto consider = [&](const fs::path& folder, const fs::path& shown) {
    std::error_code ignored;
    if (fs::is_directory(folder, ignored) && seen.insert(folder).second) {
      search.folders.push_back(shown);
    }
  };
  const fs::path absolute = fs::absolute(manifest_file).lexically_normal();
  for (fs::path folder = absolute.parent_path();; folder = folder.parent_path()) {
    const fs::path layers = folder / "layers";
    consider(layers, display_path(layers, manifest_file.is_relative()));
    if (folder == folder.parent_path()) break;
  }
  for (const fs::path& folder : extra) {
    consider(fs::absolute(folder).lexically_normal(), folder);
  }
  return search;
}

Recipe load_recipe(const YamlNode& item, const fs::path& manifest_file, const RecipeSearch& search,
                   const Variables& variables) {
  if (item.kind() == YamlNode::Kind::mapping) return load_inline(item, manifest_file, variables);
  const std::string& text = item.as_text("an item of 'layers' (a recipe's name or a mapping)");
  const bool is_path = text.starts_with("./") || text.starts_with("../");
  if (!is_path) return load_file(item, text, find_by_name(item, search), variables);
  const fs::path file = find_by_path(item, manifest_file.parent_path());
  if (!is_recipe_name(file.stem().string())) {
    item.fail("'" + file.stem().string() + "' is no name of a layer",
              "name the file with lower-case letters, digits, '-', '_' and '.'");
  }
  return load_file(item, file.stem().string(), file, variables);
}

}  // namespace img
