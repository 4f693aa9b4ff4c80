// SPDX-License-Identifier: Apache-2.0
// Whether a lock still fits its manifest.
#include "builder/lock/lock_file.h"

namespace img {}
