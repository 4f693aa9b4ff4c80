// SPDX-License-Identifier: Apache-2.0
// The text of the compatibility table that is built into the programs.
#pragma once

#include <string_view>

namespace img {

std::string_view compatibility_yaml();

}  // namespace img
