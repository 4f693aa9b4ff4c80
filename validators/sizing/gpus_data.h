// SPDX-License-Identifier: Apache-2.0
// The text of the table of GPUs that is built into the program.
#pragma once

#include <string_view>

namespace img {

std::string_view gpus_yaml();

}  // namespace img
