// SPDX-License-Identifier: Apache-2.0
// ELF notes: the build id, and the conditions of a CUDA forward-compatibility driver.
#pragma once

#include "validators/elf/elf_layout.h"

namespace img {

/// Fills build_id and cuda_compat_note. For 64-bit little-endian files.
void read_notes(const ElfView& view, const ElfLayout& layout, ElfFacts& facts);

}  // namespace img
