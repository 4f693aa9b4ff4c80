// SPDX-License-Identifier: Apache-2.0
// Rules that span recipes: order, one base, one venv, volumes, users.
#include "builder/manifest/build_manifest.h"
