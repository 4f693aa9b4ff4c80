// SPDX-License-Identifier: Apache-2.0
// Finds the interpreter and torch of a container that nobody has described.
#pragma once

#include "validators/judge/expectations.h"

namespace img {

/// Expectations without promises: the first interpreter that has torch, else the first interpreter,
/// of the active environment, well-known places, and PATH; torch's folder and version.
Expectations discover_expectations();

}  // namespace img
