// SPDX-License-Identifier: Apache-2.0
// Which GPU code counts as a library's.

#include "validators/checks/gpu_code.h"

#include "builder/base/text.h"

namespace img {

GpuCode common_code(const FatBinaries& binaries) {
  GpuCode code{.machine = binaries.common_machine(), .ptx = {}};
  for (const auto& [arch, count] : binaries.ptx) {
    if (count * 10 >= binaries.count * 9) code.ptx.push_back(arch);
  }
  return code;
}

std::string torch_code_of(const ImageFacts& image, const std::string& torch_folder) {
  const auto elf = image.elf.find(torch_folder + "/lib/libtorch_cuda.so");
  if (elf == image.elf.end()) return {};
  const GpuCode code = common_code(elf->second.gpu_code);
  std::vector<std::string> words;
  for (const GpuArch arch : code.machine) words.push_back("sm_" + to_string(arch));
  for (const GpuArch arch : code.ptx) words.push_back("compute_" + to_string(arch));
  return join(words, " ");
}

}  // namespace img
