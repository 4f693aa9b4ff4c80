// SPDX-License-Identifier: Apache-2.0
// Reads layout directories and finds out what a path is.
#include "builder/layout/image_layout.h"

namespace img {}
