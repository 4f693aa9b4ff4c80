// SPDX-License-Identifier: Apache-2.0
// The one full verification of a wheel: every member against RECORD.
#include "builder/inputs/wheel.h"

namespace img {}
