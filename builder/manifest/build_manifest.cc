// SPDX-License-Identifier: Apache-2.0
// What a manifest as a whole can answer: its interpreter and its venv.
#include "builder/manifest/build_manifest.h"

namespace img {

const PythonSpec* BuildManifest::python() const {
  for (const Recipe& recipe : recipes) {
    if (const auto* debian = std::get_if<DebianSpec>(&recipe.spec); debian && debian->python) {
      return &*debian->python;
    }
    if (const auto* oci = std::get_if<OciSpec>(&recipe.spec); oci && oci->python) {
      return &*oci->python;
    }
  }
  return nullptr;
}

std::string BuildManifest::venv() const {
  for (const Recipe& recipe : recipes) {
    const auto* wheels = std::get_if<WheelsSpec>(&recipe.spec);
    if (wheels && !wheels->venv.empty()) return wheels->venv;
  }
  return {};
}

}  // namespace img
