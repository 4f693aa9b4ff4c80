// SPDX-License-Identifier: Apache-2.0
// What one tree adds to another, and declared drops.
#include "builder/assemble/debian_root.h"

namespace img {}
