// SPDX-License-Identifier: Apache-2.0
// Divides the lock's wheels and debs into layers.

#include "builder/assemble/plan.h"

#include "builder/base/text.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

std::string count_of(std::size_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

PlannedLayer debian_layer(const Recipe& recipe, const LockFile& lock) {
  PlannedLayer layer{.kind = LayerKind::debian, .recipe = &recipe};
  for (const LockedDeb& deb : lock.debs) {
    if (deb.layer != recipe.name) continue;
    layer.debs.push_back(&deb);
    layer.input_bytes += deb.size;
  }
  layer.title = count_of(layer.debs.size(), "Debian package");
  layer.has_directories = true;
  return layer;
}

PlannedLayer wheel_layer(const Recipe& recipe, std::vector<const LockedWheel*> wheels) {
  PlannedLayer layer{.kind = LayerKind::wheels, .recipe = &recipe};
  layer.wheels = std::move(wheels);
  for (const LockedWheel* wheel : layer.wheels) layer.input_bytes += wheel->size;
  layer.title = layer.wheels.size() == 1
                    ? layer.wheels.front()->name + " " + layer.wheels.front()->version
                    : count_of(layer.wheels.size(), "wheel");
  return layer;
}

void add_wheel_layers(const Recipe& recipe, const WheelsSpec& spec, const LockFile& lock,
                      std::vector<PlannedLayer>& plan) {
  std::vector<const LockedWheel*> small;
  for (const LockedWheel& wheel : lock.wheels) {  // sorted by name
    if (wheel.layer != recipe.name) continue;
    if (wheel.size >= kOwnBlobBytes) {
      plan.push_back(wheel_layer(recipe, {&wheel}));
    } else {
      small.push_back(&wheel);
    }
  }
  const bool makes_venv = !spec.venv.empty();
  if (small.empty() && !makes_venv && recipe.directories.empty()) return;
  PlannedLayer rest = wheel_layer(recipe, std::move(small));
  rest.makes_venv = makes_venv;
  rest.has_directories = true;
  if (makes_venv) rest.title = "venv, " + rest.title;
  plan.push_back(std::move(rest));
}

void require_known_recipes(const BuildManifest& manifest, const LockFile& lock) {
  std::set<std::string> names;
  for (const Recipe& recipe : manifest.recipes) names.insert(recipe.name);
  const auto check = [&](const std::string& what, const std::string& layer) {
    if (names.count(layer) != 0) return;
    throw ManifestError(ErrorText{.message = "the lock puts '" + what + "' into recipe '" + layer +
                                             "', which the manifest does not have",
                                  .hint = "run 'imgbuild lock " + manifest.file + "'"});
  };
  for (const LockedWheel& wheel : lock.wheels) check(wheel.name, wheel.layer);
  for (const LockedDeb& deb : lock.debs) check(deb.package, deb.layer);
}

}  // namespace

std::string_view to_string(LayerKind kind) {
  switch (kind) {
    case LayerKind::debian:
      return "debian";
    case LayerKind::wheels:
      return "wheels";
    case LayerKind::files:
      return "files";
    case LayerKind::oci:
      return "oci";
  }
  return "";
}

std::vector<PlannedLayer> make_plan(const BuildManifest& manifest, const LockFile& lock) {
  require_known_recipes(manifest, lock);
  std::vector<PlannedLayer> plan;
  for (const Recipe& recipe : manifest.recipes) {
    if (std::holds_alternative<DebianSpec>(recipe.spec)) {
      plan.push_back(debian_layer(recipe, lock));
    } else if (const auto* wheels = std::get_if<WheelsSpec>(&recipe.spec)) {
      add_wheel_layers(recipe, *wheels, lock, plan);
    } else if (std::holds_alternative<FilesSpec>(recipe.spec)) {
      plan.push_back(
          {.kind = LayerKind::files, .recipe = &recipe, .title = "files", .has_directories = true});
    } else {
      plan.push_back({.kind = LayerKind::oci, .recipe = &recipe, .title = "base image"});
    }
  }
  return plan;
}

}  // namespace img
