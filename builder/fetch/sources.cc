// SPDX-License-Identifier: Apache-2.0
// Addresses by source name.
#include "builder/fetch/sources.h"

namespace img {}  // namespace img
