// SPDX-License-Identifier: Apache-2.0
// Compiles the sources of a wheel and packs the result for layers.
#include "builder/assemble/bytecode.h"

namespace img {}
