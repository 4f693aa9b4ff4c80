// SPDX-License-Identifier: Apache-2.0
// Digests: the grammar of descriptor.md.
#include "builder/oci/digest.h"

namespace img {}
