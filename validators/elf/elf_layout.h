// SPDX-License-Identifier: Apache-2.0
// Header, program headers and section table of an ELF file.
#pragma once

#include "validators/elf/elf_view.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct ElfSegment {
  std::uint32_t type = 0;   ///< PT_LOAD, PT_DYNAMIC, …
  std::uint32_t flags = 0;  ///< PF_R, PF_W, PF_X
  std::uint64_t offset = 0, address = 0;
  std::uint64_t file_size = 0, memory_size = 0;
  std::uint64_t alignment = 0;
};

struct ElfSection {
  std::string_view name;  ///< points into the file
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t address = 0, offset = 0, size = 0;
  std::uint64_t alignment = 0;
  ElfBytes bytes;  ///< empty for SHT_NOBITS
};

/// Where things are in one file. Program headers are what a loader goes by, so those that lie
/// outside of the file are an InputError; the section table is only for tools, so one that cannot
/// be read is a `section_problem`.
struct ElfLayout {
  std::uint16_t type = 0, machine = 0;
  std::vector<ElfSegment> segments;
  std::vector<ElfSection> sections;
  std::string section_problem;  ///< empty: the table was read, or there is none

  const ElfSection* find_section(std::string_view name) const;
  /// The bytes of the file that a loader would put at `address`, up to the end of what the file
  /// gives to that segment; nullopt when no segment has them.
  std::optional<ElfBytes> at_address(const ElfView& view, std::uint64_t address) const;
};

ElfLayout read_layout(const ElfView& view);

}  // namespace img
