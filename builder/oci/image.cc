// SPDX-License-Identifier: Apache-2.0
// Image manifest and image index from and to JSON.
#include "builder/oci/image.h"

namespace img {}
