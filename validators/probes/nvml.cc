// SPDX-License-Identifier: Apache-2.0
// Finds the functions of NVML.
#include "validators/probes/nvml.h"

namespace probe {
namespace {

template <typename Function>
void find(const Library& nvml, const char* name, Function*& function) {
  function = nvml.function<Function>(name);
}

}  // namespace

Nvml::Nvml(const Library& library) {
  find(library, "nvmlInit_v2", init);
  find(library, "nvmlSystemGetDriverVersion", driver_version);
  find(library, "nvmlDeviceGetHandleByPciBusId_v2", device_by_pci);
  find(library, "nvmlDeviceGetPersistenceMode", persistence);
  find(library, "nvmlDeviceGetMigMode", mig);
  find(library, "nvmlDeviceGetTotalEccErrors", total_errors);
  find(library, "nvmlDeviceGetRemappedRows", remapped_rows);
  find(library, "nvmlDeviceGetCurrPcieLinkGeneration", pcie_generation);
  find(library, "nvmlDeviceGetMaxPcieLinkGeneration", pcie_generation_max);
  find(library, "nvmlDeviceGetCurrPcieLinkWidth", pcie_width);
  find(library, "nvmlDeviceGetMaxPcieLinkWidth", pcie_width_max);
  find(library, "nvmlDeviceGetNvLinkState", nvlink_state);
  find(library, "nvmlErrorString", error_text);
}

}  // namespace probe
