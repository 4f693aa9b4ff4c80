// SPDX-License-Identifier: Apache-2.0
// The JSON Schemas of manifests and recipes.
#include "builder/manifest/build_manifest.h"
