// SPDX-License-Identifier: Apache-2.0
// Looking after the store: list, verify, gc.
#include "builder/fetch/store.h"

namespace img {}  // namespace img
