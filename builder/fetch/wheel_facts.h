// SPDX-License-Identifier: Apache-2.0
// Whether a wheel was proven already.
#pragma once

#include "builder/fetch/store.h"

namespace img {

/// True when wheel_facts() would not have to read the wheel.
bool has_wheel_facts(const Store& store, const Digest& wheel);

}  // namespace img
