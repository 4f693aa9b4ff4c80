// SPDX-License-Identifier: Apache-2.0
// dpkg's version order.
#include "builder/inputs/debian.h"

namespace img {}
