// SPDX-License-Identifier: Apache-2.0
// Names of GPU architectures, and which of them a library is built for.
#include "validators/elf/elf_facts.h"

namespace img {

std::string to_string(GpuArch arch) {
  std::string text = std::to_string(arch.number);
  if (arch.suffix != 0) text += arch.suffix;
  return text;
}

std::vector<GpuArch> FatBinaries::common_machine() const {
  std::vector<GpuArch> common;
  for (const auto& [arch, holders] : machine) {
    // holders * 10 cannot overflow: a fat binary takes 16 bytes of the file at least.
    if (holders * 10 >= count * 9) common.push_back(arch);
  }
  return common;
}

}  // namespace img
