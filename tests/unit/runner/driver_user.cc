// SPDX-License-Identifier: Apache-2.0
// Loads libcuda.so.1 as every user of CUDA does, and says which file that was.
#include <cstdio>

#include <dlfcn.h>

int main() {
  std::printf("{\"event\":\"start\"}\n");
  void* const library = dlopen("libcuda.so.1", RTLD_NOW);
  if (library == nullptr) {
    std::printf("{\"event\":\"number\",\"value\":\"%s\"}\n", dlerror());
  } else {
    const auto number = reinterpret_cast<int (*)()>(dlsym(library, "driver_number"));
    std::printf("{\"event\":\"number\",\"value\":\"%d\"}\n", number != nullptr ? number() : -1);
  }
  std::printf("{\"event\":\"end\"}\n");
  return 0;
}
