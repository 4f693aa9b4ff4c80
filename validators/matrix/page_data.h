// SPDX-License-Identifier: Apache-2.0
// What the page carries in it beside its tables.
#pragma once

#include <string_view>

namespace img {

std::string_view matrix_style();   ///< page.css
std::string_view matrix_script();  ///< page.js

}  // namespace img
