// SPDX-License-Identifier: Apache-2.0
// The image's own interpreter, unpacked so that it runs on this host.
#include "builder/assemble/bytecode.h"

namespace img {}
