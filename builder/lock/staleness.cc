// SPDX-License-Identifier: Apache-2.0
// Whether a lock still fits its manifest and this program; every reason is one sentence.
#include "builder/base/error.h"
#include "builder/layer/layer_format.h"
#include "builder/lock/lock_file.h"

#include <algorithm>
#include <variant>

namespace img {
namespace {

void check_output(const LockFile& lock, std::vector<std::string>& reasons) {
  if (lock.output_version != kOutputVersion) {
    reasons.push_back("the lock is made for output version " + std::to_string(lock.output_version) +
                      ", this program writes " + std::to_string(kOutputVersion));
  } else if (lock.output_format != output_format()) {
    reasons.push_back("the lock is made for output format '" + lock.output_format +
                      "', this program writes '" + output_format() + "'");
  }
}

void check_promises(const LockFile& lock, const BuildManifest& manifest,
                    std::vector<std::string>& reasons) {
  for (const auto& [name, version] : manifest.versions) {
    if (!lock.verified.contains(name)) {
      reasons.push_back("the manifest promises " + name + " " + version +
                        ", which the lock never verified");
    }
  }
  for (const auto& [name, version] : lock.verified) {
    if (!manifest.versions.contains(name)) {
      reasons.push_back("the lock verified " + name + " " + version +
                        ", which the manifest no longer promises");
    }
  }
}

bool has_recipe(const BuildManifest& manifest, const std::string& name) {
  return std::any_of(manifest.recipes.begin(), manifest.recipes.end(),
                     [&](const Recipe& recipe) { return recipe.name == name; });
}

template <typename Entry>
void check_layers_exist(const std::vector<Entry>& entries, const BuildManifest& manifest,
                        std::vector<std::string>& unknown) {
  for (const Entry& entry : entries) {
    if (!has_recipe(manifest, entry.layer) &&
        std::find(unknown.begin(), unknown.end(), entry.layer) == unknown.end()) {
      unknown.push_back(entry.layer);
    }
  }
}

template <typename Entry>
bool has_entry(const std::vector<Entry>& entries, const std::string& layer) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return entry.layer == layer; });
}

/// A recipe that cannot do without entries of its own: a base image, an Essential set, a venv's
/// first wheel.
bool lacks_entries(const LockFile& lock, const Recipe& recipe) {
  if (std::holds_alternative<OciSpec>(recipe.spec)) return !has_entry(lock.bases, recipe.name);
  if (const auto* debian = std::get_if<DebianSpec>(&recipe.spec)) {
    return debian->essential && !has_entry(lock.debs, recipe.name);
  }
  if (const auto* wheels = std::get_if<WheelsSpec>(&recipe.spec)) {
    return !wheels->owns.empty() && !has_entry(lock.wheels, recipe.name);
  }
  return false;
}

void check_recipes(const LockFile& lock, const BuildManifest& manifest,
                   std::vector<std::string>& reasons) {
  std::vector<std::string> unknown;
  check_layers_exist(lock.bases, manifest, unknown);
  check_layers_exist(lock.debs, manifest, unknown);
  check_layers_exist(lock.wheels, manifest, unknown);
  for (const std::string& layer : unknown) {
    reasons.push_back("the lock has entries of recipe '" + layer +
                      "', which the manifest does not have");
  }
  for (const Recipe& recipe : manifest.recipes) {
    if (lacks_entries(lock, recipe)) {
      reasons.push_back("recipe '" + recipe.name + "' has no entries in the lock");
    }
  }
}

void check_bundle(const LockFile& lock, const BuildManifest& manifest,
                  std::vector<std::string>& reasons) {
  if (manifest.selftest && !lock.bundle) {
    reasons.push_back("the manifest asks for the validator bundle, which the lock does not name");
  } else if (!manifest.selftest && lock.bundle) {
    reasons.push_back("the lock names a validator bundle, which the manifest does not ask for");
  }
}

}  // namespace

std::vector<std::string> staleness(const LockFile& lock, const BuildManifest& manifest) {
  std::vector<std::string> reasons;
  check_output(lock, reasons);
  check_promises(lock, manifest, reasons);
  check_recipes(lock, manifest, reasons);
  check_bundle(lock, manifest, reasons);
  const std::string checksum = manifest.checksum();
  if (lock.manifest_checksum != checksum) {
    // Last, since the reasons above say more when they are there.
    reasons.push_back("the manifest or one of its recipes changed since (" + checksum + " now, " +
                      lock.manifest_checksum + " in the lock)");
  }
  return reasons;
}

void require_fresh(const LockFile& lock, const BuildManifest& manifest, const fs::path& lock_file) {
  const std::vector<std::string> reasons = staleness(lock, manifest);
  if (reasons.empty()) return;
  ErrorText text{.message = "lock '" + lock_file.string() + "' is stale"};
  for (const std::string& reason : reasons) text.details.push_back({"reason", reason});
  text.hint = "run 'imgbuild lock " + manifest.file + "'";
  throw ManifestError(std::move(text));
}

}  // namespace img
