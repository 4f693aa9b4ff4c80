// SPDX-License-Identifier: Apache-2.0
// Control stanzas of Debian packages and indexes.
#include "builder/inputs/debian.h"

namespace img {}
