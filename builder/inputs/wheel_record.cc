// SPDX-License-Identifier: Apache-2.0
// RECORD: CSV rows of what a wheel holds, read and written.
#include "builder/inputs/wheel.h"

namespace img {}
