// SPDX-License-Identifier: Apache-2.0
// Wheel to Tree as an installer would lay it out.
#include "builder/inputs/wheel_install.h"

namespace img {}
