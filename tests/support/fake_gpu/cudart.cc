// SPDX-License-Identifier: Apache-2.0
// A stand-in for libcudart.so.12.
#include "tests/support/fake_gpu/fake.h"

extern "C" {

int cudaRuntimeGetVersion(int* version) {
  *version = 12080;
  return 0;
}
int cudaDriverGetVersion(int* version) {
  *version = static_cast<int>(fake::number("FAKE_CUDA_VERSION", 12080));
  return 0;
}
int cudaGetDeviceCount(int* count) {
  *count = static_cast<int>(fake::number("FAKE_GPUS", 1));
  return *count > 0 ? 0 : 100;
}

}  // extern "C"
