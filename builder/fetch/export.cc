// SPDX-License-Identifier: Apache-2.0
// Every locked byte into a folder.
#include "builder/fetch/fetch.h"

namespace img {}  // namespace img
