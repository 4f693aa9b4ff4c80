// SPDX-License-Identifier: Apache-2.0
// What pip and apt are configured with on this machine.
#include "builder/fetch/sources.h"

namespace img {}  // namespace img
