// SPDX-License-Identifier: Apache-2.0
// Lock to verified blobs.
#include "builder/fetch/fetch.h"

namespace img {}  // namespace img
