// SPDX-License-Identifier: Apache-2.0
// The answer of a command on standard output.
#pragma once

#include <string_view>

namespace img {

/// All of it, or SystemError "cannot write to standard output".
void write_to_stdout(std::string_view text);

}  // namespace img
