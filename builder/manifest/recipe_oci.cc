// SPDX-License-Identifier: Apache-2.0
// Reads recipes of kind oci.
#include "builder/manifest/build_manifest.h"
