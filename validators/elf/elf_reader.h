// SPDX-License-Identifier: Apache-2.0
// Reads facts from an ELF file that may be hostile: every offset is checked, nothing is trusted.
#pragma once

#include "builder/base/file.h"
#include "validators/elf/elf_facts.h"

#include <cstdint>
#include <span>
#include <string>

namespace img {

/// Random access to the bytes of one file (a mapping, or a buffer in tests).
using ElfBytes = std::span<const std::uint8_t>;

bool looks_like_elf(ElfBytes first_bytes);

/// InputError naming `name` and what is wrong for a damaged file. 32-bit and foreign machines are
/// read as far as header and dynamic section go. Reads what it needs through `bytes`, so a mapped
/// file of 1 GB costs its section tables, symbols and fat-binary headers.
ElfFacts read_elf(ElfBytes bytes, const std::string& name);

}  // namespace img
