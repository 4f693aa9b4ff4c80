// SPDX-License-Identifier: Apache-2.0
// Where recipes are looked for beside those of a manifest.
#pragma once

#include "builder/manifest/build_manifest.h"

#include <string>
#include <vector>

namespace img {

/// The folders of --layers, then those that belong to this program: beside it in a source tree or
/// an installation.
LoadOptions recipe_folders(const std::vector<std::string>& flags);

}  // namespace img
