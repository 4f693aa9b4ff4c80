// SPDX-License-Identifier: Apache-2.0
// Finds a recipe and reads what all kinds have in common.
#include "builder/manifest/build_manifest.h"
