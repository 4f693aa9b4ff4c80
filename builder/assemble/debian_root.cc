// SPDX-License-Identifier: Apache-2.0
// Installs locked debs through mmdebstrap and keeps what is reproducible.
#include "builder/assemble/debian_root.h"

namespace img {}
