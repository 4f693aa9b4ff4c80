// SPDX-License-Identifier: Apache-2.0
// Wheel file names, distribution names and the tags of one CPython on one platform.
#include "builder/inputs/wheel.h"

namespace img {}
