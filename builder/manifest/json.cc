// SPDX-License-Identifier: Apache-2.0
// A manifest as JSON, for people and for the checksum.
#include "builder/manifest/build_manifest.h"
