// SPDX-License-Identifier: Apache-2.0
// The rows of the catalogue, one list a tier.
#pragma once

#include "validators/judge/catalogue.h"

#include <vector>

namespace img {

std::vector<CheckInfo> static_rows();
std::vector<CheckInfo> container_rows();
std::vector<CheckInfo> gpu_rows();  ///< of both tiers

}  // namespace img
