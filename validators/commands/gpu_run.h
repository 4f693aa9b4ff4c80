// SPDX-License-Identifier: Apache-2.0
// The GPU tiers from outside, on this machine.
#pragma once

#include "validators/judge/finding.h"

#include <string>
#include <vector>

namespace img {

/// One result for each check of `tier` among `ids` (empty: all of it).
std::vector<CheckResult> run_gpu_tier(Tier tier, const std::vector<std::string>& ids);

}  // namespace img
