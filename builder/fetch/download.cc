// SPDX-License-Identifier: Apache-2.0
// One file: candidates, attempts, resumption, verification.
#include "builder/fetch/fetch.h"

namespace img {}  // namespace img
