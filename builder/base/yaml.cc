// SPDX-License-Identifier: Apache-2.0
// Strict YAML: turns yaml-cpp's events into our own tree and refuses what the tree must not hold.
#include "builder/base/yaml.h"
