// SPDX-License-Identifier: Apache-2.0
// Libraries that some files of published wheels ask for and that no image has to bring.
#pragma once

#include <string_view>

namespace img {

/// Whether the driver of the host brings it, mounted by the container toolkit.
bool is_brought_by_driver(std::string_view soname);

/// Why the object with this soname may lack `needed`; nullptr: it may not. Exact names only: each
/// row was read on the files of a wheel.
const char* known_miss(std::string_view object_soname, std::string_view needed);

}  // namespace img
