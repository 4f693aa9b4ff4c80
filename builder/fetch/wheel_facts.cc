// SPDX-License-Identifier: Apache-2.0
// Verified facts of wheels in the store.
#include "builder/fetch/fetch.h"

namespace img {}  // namespace img
