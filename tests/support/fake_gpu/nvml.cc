// SPDX-License-Identifier: Apache-2.0
// A stand-in for libnvidia-ml.so.1. Faults: nvml-init, ecc, remap-failed, remap-pending,
// persistence-off, pcie-narrow, mig, nvml-unknown.
#include "tests/support/fake_gpu/fake.h"

#include <cstdio>

extern "C" {

int nvmlInit_v2() { return fake::has_fault("nvml-init") ? 9 : 0; }
int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  std::snprintf(version, length, "%s", fake::text("FAKE_DRIVER_VERSION", "570.124.06").c_str());
  return 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  int number = -1;
  if (fake::has_fault("nvml-unknown") || std::sscanf(id, "0000:%x:00.0", &number) != 1) return 6;
  *device = reinterpret_cast<void*>(static_cast<std::intptr_t>(number));
  return 0;
}
int nvmlDeviceGetPersistenceMode(void*, int* mode) {
  *mode = fake::has_fault("persistence-off") ? 0 : 1;
  return 0;
}
int nvmlDeviceGetMigMode(void*, unsigned* now, unsigned* pending) {
  *now = *pending = fake::has_fault("mig") ? 1 : 0;
  return 0;
}
int nvmlDeviceGetTotalEccErrors(void*, int kind, int counter, unsigned long long* errors) {
  if (kind != 1 || counter != 0) return 2;
  *errors = fake::has_fault("ecc") ? 3 : 0;
  return 0;
}
int nvmlDeviceGetRemappedRows(void*, unsigned* corrected, unsigned* uncorrected, unsigned* pending,
                              unsigned* failed) {
  *corrected = *uncorrected = 0;
  *pending = fake::has_fault("remap-pending") ? 1 : 0;
  *failed = fake::has_fault("remap-failed") ? 1 : 0;
  return 0;
}
int nvmlDeviceGetCurrPcieLinkGeneration(void*, unsigned* value) {
  *value = 5;
  return 0;
}
int nvmlDeviceGetMaxPcieLinkGeneration(void*, unsigned* value) {
  *value = 5;
  return 0;
}
int nvmlDeviceGetCurrPcieLinkWidth(void*, unsigned* value) {
  *value = fake::has_fault("pcie-narrow") ? 4 : 16;
  return 0;
}
int nvmlDeviceGetMaxPcieLinkWidth(void*, unsigned* value) {
  *value = 16;
  return 0;
}
int nvmlDeviceGetNvLinkState(void*, unsigned, int* active) {
  *active = 1;
  return 0;
}
const char* nvmlErrorString(int code) { return code == 9 ? "Driver Not Loaded" : "Unknown Error"; }

}  // extern "C"
