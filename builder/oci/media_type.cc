// SPDX-License-Identifier: Apache-2.0
// Media types: what they name and which compression they imply.
#include "builder/oci/media_type.h"

namespace img {}
