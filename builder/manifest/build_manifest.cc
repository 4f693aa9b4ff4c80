// SPDX-License-Identifier: Apache-2.0
// What a manifest as a whole can answer: its interpreter and its venv.
#include "builder/manifest/build_manifest.h"
