// SPDX-License-Identifier: Apache-2.0
// Descriptors and platforms from and to JSON.
#include "builder/oci/descriptor.h"

namespace img {}
