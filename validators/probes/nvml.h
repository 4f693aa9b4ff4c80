// SPDX-License-Identifier: Apache-2.0
// The functions of NVIDIA's management library that the probes call, found by name.
#pragma once

#include "validators/probes/library.h"

#include <cstdint>

namespace probe {

/// Function pointers; nullptr where this NVML has no such function. Devices are `void*` here.
struct Nvml {
  explicit Nvml(const Library& library);

  int (*init)();
  int (*driver_version)(char* version, unsigned length);
  int (*device_by_pci)(const char* id, void** device);
  int (*persistence)(void* device, int* mode);
  int (*mig)(void* device, unsigned* current, unsigned* pending);
  int (*total_errors)(void* device, int kind, int counter, unsigned long long* count);
  int (*remapped_rows)(void* device, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                       unsigned* failed);
  int (*pcie_generation)(void* device, unsigned* generation);
  int (*pcie_generation_max)(void* device, unsigned* generation);
  int (*pcie_width)(void* device, unsigned* width);
  int (*pcie_width_max)(void* device, unsigned* width);
  int (*nvlink_state)(void* device, unsigned link, int* active);
  const char* (*error_text)(int code);
};

}  // namespace probe
