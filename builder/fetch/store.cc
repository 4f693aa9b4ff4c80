// SPDX-License-Identifier: Apache-2.0
// The content-addressed store on disk.
#include "builder/fetch/store.h"

namespace img {}  // namespace img
