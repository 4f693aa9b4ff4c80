// SPDX-License-Identifier: Apache-2.0
// Reads a manifest file: its own keys, its list of layers, and the recipes behind them.
#include "builder/manifest/build_manifest.h"
