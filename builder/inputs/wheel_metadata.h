// SPDX-License-Identifier: Apache-2.0
// What the readers of a wheel's text files share. Private to inputs; users include wheel.h.
#pragma once

#include "builder/inputs/wheel.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

struct HeaderField {
  std::string name;   ///< lower case
  std::string value;  ///< continuation lines kept, each after a newline
};
/// RFC 822 header fields up to the first blank line, either line ending; lines that are none are
/// passed over, as installers do.
std::vector<HeaderField> parse_header_fields(std::string_view text);

/// "python", "python3", "python3.11": a wheel that installs one would replace the venv's
/// interpreter.
bool is_interpreter_name(std::string_view name);

/// ".wh.*": layers of images cannot hold such a file, it would remove another.
bool is_whiteout_name(std::string_view segment);

}  // namespace img
