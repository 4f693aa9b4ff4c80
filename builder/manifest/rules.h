// SPDX-License-Identifier: Apache-2.0
// Rules that span recipes: order, one base, one venv, volumes, users.
#pragma once

#include "builder/manifest/build_manifest.h"

namespace img {

/// Gives a debian recipe above another what it leaves out (suite, pockets, components, keys);
/// ManifestError when it says something else than the recipe below, or when the lowest leaves
/// something out.
void inherit_suites(BuildManifest& manifest);

/// ManifestError at the first rule that is broken.
void check_rules(const BuildManifest& manifest);

}  // namespace img
