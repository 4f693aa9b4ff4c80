// SPDX-License-Identifier: Apache-2.0
// Stand-ins for the CUDA runtime, cuDNN and its sub-library, NCCL, CUPTI and the driver, one chosen
// by FAKE_… at compile time; what they answer is in the environment.
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>

namespace {

[[maybe_unused]] int number(const char* name, int fallback) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : fallback;
}

}  // namespace

extern "C" {

int imgcheck_stand_in() { return 1; }

#if defined(FAKE_CUDART)
int cudaRuntimeGetVersion(int* version) {
  *version = number("FAKE_CUDART_VERSION", 12080);
  return 0;
}
int cudaDriverGetVersion(int* version) {
  *version = 0;
  return 0;
}
int cudaGetDeviceCount(int*) { return number("FAKE_DEVICE_COUNT_RC", 35); }
#elif defined(FAKE_CUDNN)
std::size_t cudnnGetVersion() {
  if (number("FAKE_CUDNN_ABORTS", 0) != 0) std::abort();
  return static_cast<std::size_t>(number("FAKE_CUDNN_VERSION", 91002));
}
int cudnnGraphVersionCheck() { return number("FAKE_CUDNN_CHECK", 0); }
/// As the real one does: aborts when the sub-library is not there.
int cudnnOpsVersionCheck() {
  if (dlopen("libcudnn_ops.so.9", RTLD_NOW) != nullptr) return 0;
  std::fprintf(stderr, "Unable to load any of {libcudnn_ops.so.9}\n");
  std::abort();
}
#elif defined(FAKE_NCCL)
int ncclGetVersion(int* version) {
  *version = FAKE_NCCL;
  return 0;
}
#elif defined(FAKE_CUPTI)
/// As CUPTI 13.2 without a driver, where the stack ends at last.
int cuptiGetVersion(int*) { std::abort(); }
#elif defined(FAKE_CUDA)
int cuDriverGetVersion(int* version) {
  *version = 12020;
  return number("FAKE_CUINIT", 100) == 34 ? 34 : 0;
}
int cuInit(unsigned) { return number("FAKE_CUINIT", 100); }
#endif

}  // extern "C"
