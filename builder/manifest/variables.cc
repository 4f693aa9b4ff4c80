// SPDX-License-Identifier: Apache-2.0
// Fills {name} in recipe text from the versions of the manifest.
#include "builder/manifest/build_manifest.h"
