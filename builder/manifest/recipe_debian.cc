// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind debian.
#include "builder/manifest/build_manifest.h"
