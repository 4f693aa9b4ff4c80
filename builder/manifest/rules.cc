// SPDX-License-Identifier: Apache-2.0
// Rules that span recipes: order, one base, one venv, volumes, users.
#include "builder/manifest/rules.h"

#include "builder/base/text.h"

#include <set>

namespace img {
namespace {

[[noreturn]] void fail_at(const Position& position, std::string message, std::string hint = {}) {
  throw ManifestError(ErrorText{std::move(message), {}, position, std::move(hint)});
}

std::string layer(const Recipe& recipe) { return "layer '" + recipe.name + "'"; }

// ---- order ----------------------------------------------------------------------------------

void check_names(const BuildManifest& manifest) {
  std::set<std::string> names;
  for (const Recipe& recipe : manifest.recipes) {
    if (!names.insert(recipe.name).second) {
      fail_at(recipe.position, layer(recipe) + " is listed twice", "remove one, or rename it");
    }
  }
}

void check_base(const BuildManifest& manifest) {
  const Recipe& lowest = manifest.recipes.front();
  const bool on_image = std::holds_alternative<OciSpec>(lowest.spec);
  if (!on_image && !std::holds_alternative<DebianSpec>(lowest.spec)) {
    fail_at(lowest.position, layer(lowest) + " cannot be the lowest layer",
            "start with a base of kind debian or oci");
  }
  for (const Recipe& recipe : manifest.recipes) {
    if (&recipe == &lowest) continue;
    if (std::holds_alternative<OciSpec>(recipe.spec)) {
      fail_at(recipe.position, layer(recipe) + " of kind oci is not the lowest layer",
              "an existing image can only be the base; list it first");
    }
    if (on_image && std::holds_alternative<DebianSpec>(recipe.spec)) {
      fail_at(recipe.position,
              layer(recipe) + " of kind debian stands on " + layer(lowest) + " of kind oci",
              "Debian packages need a base of kind debian");
    }
  }
}

void check_python(const BuildManifest& manifest) {
  const Recipe* owner = nullptr;
  for (const Recipe& recipe : manifest.recipes) {
    const auto* debian = std::get_if<DebianSpec>(&recipe.spec);
    const auto* oci = std::get_if<OciSpec>(&recipe.spec);
    const bool brings = (debian && debian->python) || (oci && oci->python);
    if (!brings) continue;
    if (owner != nullptr) {
      fail_at(recipe.position, layer(recipe) + " brings a second Python",
              "leave out 'python' there; " + layer(*owner) + " has it");
    }
    owner = &recipe;
  }
  const auto promised = manifest.versions.find("python");
  if (promised == manifest.versions.end()) return;
  const Position& position = manifest.version_positions.at("python");
  if (owner == nullptr) {
    fail_at(position, "no layer brings the promised Python " + promised->second,
            "a base of kind debian or oci says with 'python' which interpreter it has");
  }
  if (manifest.python()->version == promised->second) return;
  throw ManifestError(ErrorText{"the promised Python is not the one of " + layer(*owner),
                                {{"expected", promised->second, "versions.python"},
                                 {"got", manifest.python()->version, manifest.python()->path}},
                                position});
}

void check_wheels(const BuildManifest& manifest) {
  const Recipe* with_venv = nullptr;
  bool has_python = false;
  for (const Recipe& recipe : manifest.recipes) {
    const auto* debian = std::get_if<DebianSpec>(&recipe.spec);
    const auto* oci = std::get_if<OciSpec>(&recipe.spec);
    has_python = has_python || (debian && debian->python) || (oci && oci->python);
    const auto* wheels = std::get_if<WheelsSpec>(&recipe.spec);
    if (wheels == nullptr) continue;
    if (!has_python) {
      fail_at(recipe.position, layer(recipe) + " of kind wheels has no Python below it",
              "say with 'python' in the base which interpreter it has");
    }
    if (with_venv == nullptr && wheels->venv.empty()) {
      fail_at(recipe.position, layer(recipe) + " of kind wheels has no venv below it",
              "list a recipe with 'venv' first, such as 'python'");
    }
    if (with_venv != nullptr && !wheels->venv.empty()) {
      fail_at(recipe.position, layer(recipe) + " makes a second venv",
              "leave out 'venv' there; " + layer(*with_venv) + " makes it");
    }
    if (with_venv == nullptr) with_venv = &recipe;
  }
}

// ---- debian ---------------------------------------------------------------------------------

void check_lowest_suite(const Recipe& recipe, const DebianSpec& spec) {
  const auto missing = [&](const char* key) {
    fail_at(recipe.position, "key '" + std::string(key) + "' is missing in " + layer(recipe),
            "the lowest recipe of kind debian needs it");
  };
  if (spec.suite.empty()) missing("suite");
  if (spec.keyring_fingerprints.empty()) missing("keyring_fingerprints");
}

template <typename Value>
void inherit(const Recipe& recipe, const Recipe& below, const char* key, Value& own,
             const Value& inherited) {
  if (own.empty()) own = inherited;
  if (own == inherited) return;
  fail_at(recipe.position,
          "'" + std::string(key) + "' in " + layer(recipe) + " is not that of " + layer(below),
          "leave it out: all packages of an image come from one suite");
}

// ---- paths ----------------------------------------------------------------------------------

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// A volume hides what the image has below it, and engines copy it at every start.
class VolumeRule {
 public:
  explicit VolumeRule(const std::vector<std::string>& volumes) : volumes_(volumes) {}

  /// Folders may be the volume itself (so that it has an owner and a mode); nothing else may.
  void check_folder(const Position& position, const std::string& path) const {
    for (const std::string& volume : volumes_) {
      if (is_below(path, volume)) fail(position, path, volume);
    }
  }
  void check_content(const Position& position, const std::string& path) const {
    for (const std::string& volume : volumes_) {
      if (path == volume || is_below(path, volume)) fail(position, path, volume);
    }
  }

 private:
  [[noreturn]] static void fail(const Position& position, const std::string& path,
                                const std::string& volume) {
    fail_at(position, "'" + path + "' lies in the volume '" + volume + "'",
            "put it elsewhere: a volume hides what the image has there");
  }
  const std::vector<std::string>& volumes_;
};

void check_volumes(const BuildManifest& manifest) {
  const VolumeRule rule(manifest.config.volumes);
  for (const Recipe& recipe : manifest.recipes) {
    for (const DirectorySpec& directory : recipe.directories) {
      rule.check_folder(directory.position, directory.path);
    }
    if (const auto* wheels = std::get_if<WheelsSpec>(&recipe.spec);
        wheels && !wheels->venv.empty()) {
      rule.check_content(recipe.position, wheels->venv);
    }
    const auto* files = std::get_if<FilesSpec>(&recipe.spec);
    if (files == nullptr) continue;
    for (const DirectorySpec& directory : files->directories) {
      rule.check_folder(directory.position, directory.path);
    }
    for (const FileSpec& file : files->files) rule.check_content(file.position, file.path);
    for (const LinkSpec& link : files->links) rule.check_content(link.position, link.path);
    for (const UserSpec& user : files->users) rule.check_folder(user.position, user.home);
  }
}

/// Within one recipe a path is said once; a recipe above may replace what one below brings.
void check_paths(const Recipe& recipe) {
  std::set<std::string> seen;
  const auto check = [&](const Position& position, const std::string& path) {
    if (!seen.insert(path).second) {
      fail_at(position, "'" + path + "' is given twice in " + layer(recipe), "remove one of them");
    }
  };
  for (const DirectorySpec& directory : recipe.directories) {
    check(directory.position, directory.path);
  }
  const auto* files = std::get_if<FilesSpec>(&recipe.spec);
  if (files == nullptr) return;
  for (const DirectorySpec& directory : files->directories) {
    check(directory.position, directory.path);
  }
  for (const FileSpec& file : files->files) check(file.position, file.path);
  for (const LinkSpec& link : files->links) check(link.position, link.path);
  const bool empty = seen.empty() && files->users.empty();
  if (empty) {
    fail_at(recipe.position, layer(recipe) + " of kind files is empty",
            "give it 'files', 'directories', 'links' or 'users'");
  }
}

// ---- users ----------------------------------------------------------------------------------

void check_users(const BuildManifest& manifest) {
  std::set<std::string> names;
  std::set<std::uint32_t> uids;
  for (const Recipe& recipe : manifest.recipes) {
    const auto* files = std::get_if<FilesSpec>(&recipe.spec);
    if (files == nullptr) continue;
    for (const UserSpec& user : files->users) {
      if (!names.insert(user.name).second) {
        fail_at(user.position, "user '" + user.name + "' is given twice", "remove one of them");
      }
      if (!uids.insert(user.uid).second) {
        fail_at(user.position, "user '" + user.name + "' has the number of another user",
                "give it a 'uid' of its own");
      }
    }
  }
}

}  // namespace

void inherit_suites(BuildManifest& manifest) {
  const Recipe* lowest = nullptr;
  for (Recipe& recipe : manifest.recipes) {
    auto* spec = std::get_if<DebianSpec>(&recipe.spec);
    if (spec == nullptr) continue;
    if (lowest == nullptr) {
      check_lowest_suite(recipe, *spec);
      if (spec->components.empty()) spec->components = {"main"};
      lowest = &recipe;
      continue;
    }
    const DebianSpec& base = std::get<DebianSpec>(lowest->spec);
    inherit(recipe, *lowest, "suite", spec->suite, base.suite);
    inherit(recipe, *lowest, "pockets", spec->pockets, base.pockets);
    inherit(recipe, *lowest, "components", spec->components, base.components);
    inherit(recipe, *lowest, "keyring_fingerprints", spec->keyring_fingerprints,
            base.keyring_fingerprints);
    if (spec->essential) {
      fail_at(recipe.position, "'essential' in " + layer(recipe) + " is not that of a base",
              "only the lowest recipe of kind debian brings the essential packages");
    }
  }
}

void check_rules(const BuildManifest& manifest) {
  check_names(manifest);
  check_base(manifest);
  check_python(manifest);
  check_wheels(manifest);
  for (const Recipe& recipe : manifest.recipes) check_paths(recipe);
  check_volumes(manifest);
  check_users(manifest);
}

}  // namespace img
