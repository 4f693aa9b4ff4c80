// SPDX-License-Identifier: Apache-2.0
// Reads which GPU architectures a file holds code for, from the headers of its fat binaries.
#pragma once

#include "validators/elf/elf_layout.h"

#include <string_view>

namespace img {

/// The layout is not documented by its maker; it was measured. All numbers are little-endian.
///
///   fat binary   u32 magic 0xBA55ED50 | u16 version 1 | u16 header size 16 | u64 size of entries
///   entry        u16 kind | u16 0x0101 | u32 header size >= 64 | u64 payload size | u32 compressed
///                size | u32 extension | u16 minor | u16 major | u32 architecture | u32 name offset
///                | u32 name length | u64 flags | u64 0 | u64 plain size | extension | payload
///   kind         1 PTX, 2 machine code, 8 LTO intermediate code
///   flags        0x2000 LZ4, 0x8000 zstd, 0x100000 "a" (only that exact architecture)
///
/// Only headers are looked at, so compressed entries need no decompression. What does not fit this
/// layout goes into `limits`.
FatBinaries read_fat_binaries(const ElfView& view, const ElfLayout& layout);

/// Sections of the fat binaries that are registered with the CUDA runtime.
bool is_fat_binary_section(std::string_view name);

}  // namespace img
