// SPDX-License-Identifier: Apache-2.0
// Writes a whole image as a layout directory or an archive, all or nothing.
#include "builder/layout/image_layout.h"

namespace img {}
