// SPDX-License-Identifier: Apache-2.0
// The lock's JSON form.
#include "builder/lock/lock_file.h"

namespace img {}
