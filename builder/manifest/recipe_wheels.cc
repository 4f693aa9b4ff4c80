// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind wheels with their requirements.
#include "builder/manifest/build_manifest.h"
