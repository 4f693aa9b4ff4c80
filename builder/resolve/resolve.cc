// SPDX-License-Identifier: Apache-2.0
// Skeleton.
#include "builder/resolve/resolve.h"

namespace img {}
