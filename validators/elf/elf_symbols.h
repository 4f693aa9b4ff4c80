// SPDX-License-Identifier: Apache-2.0
// Symbol versions and the dynamic symbols that checks look at.
#pragma once

#include "validators/elf/elf_dynamic.h"

namespace img {

/// Fills version_needs, version_definitions, imports, exports and the counts of string symbols.
/// For 64-bit little-endian files.
void read_symbols(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic,
                  ElfFacts& facts);

/// Does the name belong to the C interface of a GPU library ("ncclSend", "cuInit", "cudnnCreate")
/// or to torch's C shim ("aoti_torch_…")?
bool is_gpu_interface(std::string_view name);

}  // namespace img
