// SPDX-License-Identifier: Apache-2.0
// The architectures that a library has GPU code for.
#pragma once

#include "validators/elf/elf_facts.h"
#include "validators/image/image_facts.h"

#include <string>
#include <vector>

namespace img {

struct GpuCode {
  std::vector<GpuArch> machine, ptx;
  bool empty() const { return machine.empty() && ptx.empty(); }
};

/// What the library as a whole is built for: single kernels for further architectures do not help.
GpuCode common_code(const FatBinaries& binaries);

/// "sm_75 sm_80 compute_120" of the libtorch_cuda in `torch_folder`; empty: none, or not readable.
std::string torch_code_of(const ImageFacts& image, const std::string& torch_folder);

}  // namespace img
