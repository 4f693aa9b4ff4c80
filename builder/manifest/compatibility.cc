// SPDX-License-Identifier: Apache-2.0
// Reads the compatibility table.
#include "builder/manifest/build_manifest.h"
