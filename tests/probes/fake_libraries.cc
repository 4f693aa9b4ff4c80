// SPDX-License-Identifier: Apache-2.0
// Stand-ins for the CUDA runtime, cuDNN and the driver, one chosen by FAKE_… at compile time; what
// they answer is in the environment.
#include <cstddef>
#include <cstdlib>

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
#elif defined(FAKE_CUDA)
int cuDriverGetVersion(int* version) {
  *version = 12020;
  return number("FAKE_CUINIT", 100) == 34 ? 34 : 0;
}
int cuInit(unsigned) { return number("FAKE_CUINIT", 100); }
#endif

}  // extern "C"
