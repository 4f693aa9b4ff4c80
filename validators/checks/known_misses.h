// SPDX-License-Identifier: Apache-2.0
// Libraries that some files of published wheels ask for and that no image has to bring.
#pragma once

#include <string_view>

namespace img {

/// Whether the driver of the host brings it, mounted by the container toolkit.
bool is_brought_by_driver(std::string_view soname);

/// Why the object at `path` may lack `needed`; nullptr: it may not. Exact names only: each row was
/// read on the files of a wheel. Holds for objects that nothing links, which the caller has to see
/// to: a plug-in that is linked is none.
const char* known_miss(std::string_view path, std::string_view needed);

}  // namespace img
