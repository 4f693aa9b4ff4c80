// SPDX-License-Identifier: Apache-2.0
// Runs programs.
#include "builder/base/process.h"
