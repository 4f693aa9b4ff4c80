// SPDX-License-Identifier: Apache-2.0
// Opens a wheel: its structure is checked before any content is read.
#include "builder/inputs/wheel.h"

namespace img {}
