// SPDX-License-Identifier: Apache-2.0
// Finds names of shared libraries among the constants of a file.
#pragma once

#include "validators/elf/elf_layout.h"

#include <string>
#include <vector>

namespace img {

/// NUL-terminated strings of read-only data that are whole library names, sorted, each once.
/// Fills ElfFacts::library_names; at most 1,000.
std::vector<std::string> find_library_names(const ElfView& view, const ElfLayout& layout);

/// "libNAME.so", "libNAME.so.9": no folder, nothing else around it.
bool is_library_name(std::string_view text);

}  // namespace img
