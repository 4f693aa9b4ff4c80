// SPDX-License-Identifier: Apache-2.0
// The dynamic section: what a loader reads of a file before anything else.
#pragma once

#include "validators/elf/elf_layout.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace img {

struct ElfDynamic {
  ElfBytes strings;  ///< DT_STRTAB
  std::string soname, rpath, runpath;
  std::vector<std::string> needed;
  std::uint64_t flags_1 = 0;                                     ///< DT_FLAGS_1
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;  ///< tag, value

  std::optional<std::uint64_t> value(std::uint64_t tag) const;  ///< of the last such entry
};

/// nullopt for a file without a dynamic section.
std::optional<ElfDynamic> read_dynamic(const ElfView& view, const ElfLayout& layout);

}  // namespace img
