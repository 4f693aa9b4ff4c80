// SPDX-License-Identifier: Apache-2.0
// The deep checksum that ties a lock to its manifest.
#include "builder/manifest/build_manifest.h"
