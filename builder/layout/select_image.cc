// SPDX-License-Identifier: Apache-2.0
// Picks the one image that a reference and a platform select.
#include "builder/layout/image_layout.h"

namespace img {}
