// SPDX-License-Identifier: Apache-2.0
// Tells from a mangled C++ name which std::string it was compiled with.
#pragma once

#include <string_view>

namespace img {

struct StringAbi {
  bool old_string = false;  ///< std::string of the ABI before C++11 ("Ss")
  bool new_string = false;  ///< std::__cxx11::basic_string
};

/// Looks at the tokens of the Itanium mangling, so that letters within identifiers do not count.
/// Linear in the name, whatever it holds: names are hostile, and demangling one can take time and
/// memory exponential in its length.
StringAbi string_abi_of(std::string_view mangled);

}  // namespace img
