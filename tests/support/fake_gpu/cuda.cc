// SPDX-License-Identifier: Apache-2.0
// A stand-in for libcuda.so.1: devices are numbers, their memory is ours, one kernel is known.
//
// Faults: cuinit-abort, cuinit-hang, ptx-no-image, ptx-too-new, ptx-wrong, ptx-abort, ptx-hang,
// memory-full, eager.
#include "tests/support/fake_gpu/fake.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>

#include <time.h>

using Pointer = unsigned long long;

namespace {

enum Code {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialised = 3,
  kInvalidDevice = 101,
  kInvalidContext = 201,
  kNoBinary = 209,
  kUnsupportedPtx = 222,
  kNotFound = 500
};

std::atomic<bool> initialised{false};
thread_local int current = -1;

/// How much each device has given out.
struct Memory {
  std::mutex mutex;
  std::array<std::size_t, 64> used{};
  std::map<Pointer, std::pair<int, std::size_t>> blocks;
};
Memory& memory() {
  static Memory one;
  return one;
}

int count() { return static_cast<int>(fake::number("FAKE_GPUS", 1)); }
std::size_t size() { return static_cast<std::size_t>(fake::number("FAKE_GPU_MEMORY", 512l << 20)); }
bool is_device(int device) { return device >= 0 && device < count(); }

/// CUDA_VISIBLE_DEVICES as a list of numbers hides the others.
int visible() {
  const char* const list = std::getenv("CUDA_VISIBLE_DEVICES");
  if (list == nullptr) return count();
  int found = *list == '\0' ? 0 : 1;
  for (const char* at = list; *at != '\0'; ++at) found += *at == ',' ? 1 : 0;
  return found < count() ? found : count();
}

struct Event {
  timespec at{};
};

double milliseconds(const timespec& from, const timespec& to) {
  return static_cast<double>(to.tv_sec - from.tv_sec) * 1e3 +
         static_cast<double>(to.tv_nsec - from.tv_nsec) / 1e6;
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  fake::misbehave("cuinit");
  if (flags != 0) return kInvalidValue;
  const int rc = static_cast<int>(fake::number("FAKE_CUINIT", count() > 0 ? 0 : 100));
  initialised = rc == 0;
  return rc;
}
int cuDriverGetVersion(int* version) {
  *version = static_cast<int>(fake::number("FAKE_CUDA_VERSION", 12080));
  return fake::number("FAKE_CUINIT", 0) == 34 ? 34 : kSuccess;
}
int cuDeviceGetCount(int* devices) {
  if (!initialised) return kNotInitialised;
  *devices = visible();
  return kSuccess;
}
int cuDeviceGet(int* device, int ordinal) {
  if (!initialised) return kNotInitialised;
  if (ordinal < 0 || ordinal >= visible()) return kInvalidDevice;
  *device = ordinal;
  return kSuccess;
}
int cuDeviceGetName(char* name, int length, int device) {
  if (!is_device(device)) return kInvalidDevice;
  std::snprintf(name, static_cast<std::size_t>(length), "%s",
                fake::text("FAKE_GPU_NAME", "NVIDIA H100 80GB HBM3").c_str());
  return kSuccess;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (!is_device(device)) return kInvalidDevice;
  const std::string capability = fake::text("FAKE_GPU_CAPABILITY", "9.0");
  const std::size_t point = capability.find('.');
  switch (attribute) {
    case 75:
      *value = std::atoi(capability.c_str());
      return kSuccess;
    case 76:
      *value = std::atoi(capability.c_str() + point + 1);
      return kSuccess;
    case 16:
      *value = 132;
      return kSuccess;
    case 20:
      *value = 0;
      return kSuccess;
    case 32:
      *value = 1;
      return kSuccess;
    default:
      return kInvalidValue;
  }
}
int cuDeviceTotalMem_v2(std::size_t* bytes, int device) {
  if (!is_device(device)) return kInvalidDevice;
  *bytes = size();
  return kSuccess;
}
int cuDeviceGetUuid(void* uuid, int device) {
  if (!is_device(device)) return kInvalidDevice;
  std::memset(uuid, 0x10 + device, 16);
  return kSuccess;
}
int cuDeviceGetPCIBusId(char* id, int length, int device) {
  if (!is_device(device)) return kInvalidDevice;
  std::snprintf(id, static_cast<std::size_t>(length), "0000:%02x:00.0", 0x10 + device);
  return kSuccess;
}
int cuDevicePrimaryCtxRetain(void** context, int device) {
  if (!initialised) return kNotInitialised;
  if (!is_device(device)) return kInvalidDevice;
  *context = reinterpret_cast<void*>(static_cast<std::intptr_t>(device + 1));
  return kSuccess;
}
int cuCtxSetCurrent(void* context) {
  current = static_cast<int>(reinterpret_cast<std::intptr_t>(context)) - 1;
  return kSuccess;
}
int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  if (current < 0) return kInvalidContext;
  const std::lock_guard lock(memory().mutex);
  *total = size();
  *free = size() - memory().used[static_cast<std::size_t>(current)];
  return kSuccess;
}
int cuMemAlloc_v2(Pointer* pointer, std::size_t bytes) {
  if (current < 0) return kInvalidContext;
  if (bytes == 0) return kInvalidValue;
  const std::lock_guard lock(memory().mutex);
  std::size_t& used = memory().used[static_cast<std::size_t>(current)];
  if (bytes > size() - used || (fake::has_fault("memory-full") && bytes >= (1u << 20))) {
    return kOutOfMemory;
  }
  *pointer = reinterpret_cast<Pointer>(std::malloc(bytes));
  used += bytes;
  memory().blocks[*pointer] = {current, bytes};
  return kSuccess;
}
int cuMemFree_v2(Pointer pointer) {
  const std::lock_guard lock(memory().mutex);
  const auto block = memory().blocks.find(pointer);
  if (block == memory().blocks.end()) return kInvalidValue;
  memory().used[static_cast<std::size_t>(block->second.first)] -= block->second.second;
  memory().blocks.erase(block);
  std::free(reinterpret_cast<void*>(pointer));
  return kSuccess;
}
int cuMemsetD32_v2(Pointer pointer, unsigned value, std::size_t words) {
  if (current < 0) return kInvalidContext;
  auto* const to = reinterpret_cast<unsigned*>(pointer);
  for (std::size_t i = 0; i < words; ++i) to[i] = value;
  return kSuccess;
}
int cuMemcpyHtoD_v2(Pointer to, const void* from, std::size_t bytes) {
  if (current < 0) return kInvalidContext;
  std::memcpy(reinterpret_cast<void*>(to), from, bytes);
  return kSuccess;
}
int cuMemcpyDtoH_v2(void* to, Pointer from, std::size_t bytes) {
  if (current < 0) return kInvalidContext;
  std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
  return kSuccess;
}
int cuModuleLoadDataEx(void** module, const void* image, unsigned options, int* names,
                       void** values) {
  if (current < 0) return kInvalidContext;
  const std::string ptx = static_cast<const char*>(image);
  int rc = kSuccess;
  if (ptx.find(".visible .entry imgcheck_first(") == std::string::npos) rc = kInvalidValue;
  if (fake::has_fault("ptx-no-image")) rc = kNoBinary;
  if (fake::has_fault("ptx-too-new")) rc = kUnsupportedPtx;
  if (rc == kSuccess) {
    *module = const_cast<void*>(image);
    return rc;
  }
  // The error log, where the caller gave room for one.
  if (options == 2 && names[0] == 5 && names[1] == 6) {
    std::snprintf(static_cast<char*>(values[0]), reinterpret_cast<std::size_t>(values[1]),
                  "ptxas application ptx input, line 1; fatal");
  }
  return rc;
}
int cuModuleGetFunction(void** function, void* module, const char* name) {
  if (std::strcmp(name, "imgcheck_first") != 0) return kNotFound;
  *function = module;
  return kSuccess;
}
int cuLaunchKernel(void* function, unsigned grid_x, unsigned, unsigned, unsigned block_x, unsigned,
                   unsigned, unsigned, void*, void** parameters, void**) {
  if (current < 0) return kInvalidContext;
  if (function == nullptr) return kInvalidValue;
  fake::misbehave("ptx");
  auto* const values = reinterpret_cast<unsigned*>(*static_cast<Pointer*>(parameters[0]));
  const unsigned words = *static_cast<unsigned*>(parameters[1]);
  const unsigned factor = *static_cast<unsigned*>(parameters[2]);
  for (unsigned i = 0; i < grid_x * block_x; ++i) {
    if (i < words) values[i] = values[i] * factor + i;
  }
  if (fake::has_fault("ptx-wrong")) values[words - 1] ^= 1;
  return kSuccess;
}
int cuCtxSynchronize() { return current < 0 ? kInvalidContext : kSuccess; }
int cuEventCreate(void** event, unsigned) {
  *event = new Event;
  return kSuccess;
}
int cuEventRecord(void* event, void*) {
  ::clock_gettime(CLOCK_MONOTONIC, &static_cast<Event*>(event)->at);
  return kSuccess;
}
int cuEventSynchronize(void*) { return kSuccess; }
int cuEventElapsedTime(float* time, void* from, void* to) {
  *time =
      static_cast<float>(milliseconds(static_cast<Event*>(from)->at, static_cast<Event*>(to)->at));
  // A known time, so that figures can be held against the formula.
  if (const std::string known = fake::text("FAKE_ELAPSED_MS", ""); !known.empty()) {
    *time = std::strtof(known.c_str(), nullptr);
  }
  return kSuccess;
}
int cuModuleGetLoadingMode(int* mode) {
  *mode = fake::has_fault("eager") ? 1 : 2;
  return kSuccess;
}
int cuGetErrorName(int code, const char** name) {
  switch (code) {
    case kSuccess:
      *name = "CUDA_SUCCESS";
      return kSuccess;
    case kOutOfMemory:
      *name = "CUDA_ERROR_OUT_OF_MEMORY";
      return kSuccess;
    case 100:
      *name = "CUDA_ERROR_NO_DEVICE";
      return kSuccess;
    case kNoBinary:
      *name = "CUDA_ERROR_NO_BINARY_FOR_GPU";
      return kSuccess;
    case kUnsupportedPtx:
      *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
      return kSuccess;
    case 999:
      *name = "CUDA_ERROR_UNKNOWN";
      return kSuccess;
    default:
      return kInvalidValue;
  }
}

}  // extern "C"
