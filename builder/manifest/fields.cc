// SPDX-License-Identifier: Apache-2.0
// Typed fields that manifests and recipes share: paths, modes, versions, environment.
#include "builder/manifest/build_manifest.h"
