// SPDX-License-Identifier: Apache-2.0
// Draws progress.
#include "builder/base/progress.h"
