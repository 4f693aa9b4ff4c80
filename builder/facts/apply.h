// SPDX-License-Identifier: Apache-2.0
// Brings the compatibility table to what wheels say.
#pragma once

#include "builder/facts/compare.h"

#include <string>
#include <vector>

namespace img {

/// The table with every value that the wheels refute corrected, what they add filled in, and the
/// wheels noted as its proof on `day` ("2026-11-25"). `facts` in order of version; where patch
/// releases differ in a value, the newest has it, and the others do not prove it. A release or
/// variant that the table does not have is added when the wheel was looked at deeply.
Compatibility apply_facts(Compatibility table, const std::vector<TorchWheelFacts>& facts,
                          const std::vector<IndexedVersion>& versions, const std::string& day);

}  // namespace img
