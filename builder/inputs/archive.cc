// SPDX-License-Identifier: Apache-2.0
// Foreign tars through libarchive, behind one strict door.
#include "builder/inputs/archive.h"

namespace img {}
