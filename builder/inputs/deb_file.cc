// SPDX-License-Identifier: Apache-2.0
// The strict ar reader of .deb files.
#include "builder/inputs/debian.h"

namespace img {}
