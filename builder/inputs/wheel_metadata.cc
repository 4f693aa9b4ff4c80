// SPDX-License-Identifier: Apache-2.0
// METADATA, WHEEL and entry_points.txt of a wheel.
#include "builder/inputs/wheel.h"

namespace img {}
