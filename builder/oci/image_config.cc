// SPDX-License-Identifier: Apache-2.0
// Image config from and to JSON.
#include "builder/oci/image.h"

namespace img {}
