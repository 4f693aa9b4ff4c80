// SPDX-License-Identifier: Apache-2.0
// Ids of checks from a command line.
#pragma once

#include "validators/judge/catalogue.h"

#include <string>

namespace img {

/// UsageError with "did you mean" for an id that does not exist.
const CheckInfo& require_check(const std::string& id);

}  // namespace img
