// SPDX-License-Identifier: Apache-2.0
// Pages of a simple index.
#include "builder/fetch/fetch.h"

namespace img {}  // namespace img
