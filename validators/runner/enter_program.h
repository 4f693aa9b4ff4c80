// SPDX-License-Identifier: Apache-2.0
// The bytes of the program that enters a user id (enter.cc), built into this one.
#pragma once

#include "builder/base/stream.h"

namespace img {

/// A static executable that runs in any image.
ByteView enter_program();

}  // namespace img
