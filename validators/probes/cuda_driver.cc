// SPDX-License-Identifier: Apache-2.0
// Finds the driver's functions; enters a device; runs the first kernel.
#include "validators/probes/cuda_driver.h"

#include "validators/probes/events.h"

#include <array>
#include <cstring>
#include <vector>

#include <dlfcn.h>

namespace probe {
namespace {

template <typename Function>
void find(const Library& cuda, const char* name, Function*& function) {
  function = cuda.function<Function>(name);
}

/// Shipped as PTX, not as machine code or source: one text serves every GPU from 5.0 on, the
/// driver that must run everything else compiles it, and no NVRTC is needed that an image may lack.
/// Its language version is that of CUDA 9, so that only a broken driver can call it too new.
constexpr const char* kPtx = R"ptx(
.version 6.0
.target sm_50
.address_size 64

.visible .entry imgcheck_first(.param .u64 values, .param .u32 count, .param .u32 factor)
{
  .reg .pred %p<2>;
  .reg .b32 %r<8>;
  .reg .b64 %rd<5>;
  ld.param.u64 %rd1, [values];
  ld.param.u32 %r1, [count];
  ld.param.u32 %r2, [factor];
  mov.u32 %r3, %ctaid.x;
  mov.u32 %r4, %ntid.x;
  mov.u32 %r5, %tid.x;
  mad.lo.u32 %r6, %r3, %r4, %r5;
  setp.ge.u32 %p1, %r6, %r1;
  @%p1 bra DONE;
  cvta.to.global.u64 %rd2, %rd1;
  mul.wide.u32 %rd3, %r6, 4;
  add.u64 %rd4, %rd2, %rd3;
  ld.global.u32 %r7, [%rd4];
  mad.lo.u32 %r7, %r7, %r2, %r6;
  st.global.u32 [%rd4], %r7;
DONE:
  ret;
}
)ptx";

constexpr unsigned kCount = 100'003;  // no multiple of a block
constexpr unsigned kFactor = 2'654'435'761;
constexpr unsigned kBlock = 256;

unsigned value_at(unsigned index) { return index * 40'503u + 7u; }

constexpr int kJitErrorLog = 5, kJitErrorLogBytes = 6;

CudaFailure load_kernel(const CudaDriver& cuda, void*& function, std::string& log) {
  std::array<char, 4096> text{};
  std::array<int, 2> names{kJitErrorLog, kJitErrorLogBytes};
  std::array<void*, 2> values{text.data(), reinterpret_cast<void*>(text.size())};
  void* module = nullptr;
  if (const int rc = cuda.load_module(&module, kPtx, 2, names.data(), values.data()); rc != 0) {
    log.assign(text.data(), ::strnlen(text.data(), text.size()));
    return {"cuModuleLoadDataEx", rc};
  }
  if (const int rc = cuda.get_function(&function, module, "imgcheck_first"); rc != 0) {
    return {"cuModuleGetFunction", rc};
  }
  return {};
}

CudaFailure run_kernel(const CudaDriver& cuda, void* function, std::vector<unsigned>& values) {
  const std::size_t bytes = values.size() * sizeof(unsigned);
  DevicePointer memory = 0;
  if (const int rc = cuda.allocate(&memory, bytes); rc != 0) return {"cuMemAlloc_v2", rc};
  if (const int rc = cuda.copy_in(memory, values.data(), bytes); rc != 0) {
    return {"cuMemcpyHtoD_v2", rc};
  }
  unsigned count = kCount;
  unsigned factor = kFactor;
  std::array<void*, 3> parameters{&memory, &count, &factor};
  if (const int rc = cuda.launch(function, (kCount + kBlock - 1) / kBlock, 1, 1, kBlock, 1, 1, 0,
                                 nullptr, parameters.data(), nullptr);
      rc != 0) {
    return {"cuLaunchKernel", rc};
  }
  if (const int rc = cuda.synchronize(); rc != 0) return {"cuCtxSynchronize", rc};
  if (const int rc = cuda.copy_out(values.data(), memory, bytes); rc != 0) {
    return {"cuMemcpyDtoH_v2", rc};
  }
  cuda.release(memory);
  return {};
}

}  // namespace

CudaDriver CudaDriver::open() {
  const Library library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  const CudaDriver cuda(library);
  Event("library")
      .text("library", "cuda")
      .text("path", library.path())
      .text("error", library.error())
      .flag("stand_in", cuda.stand_in)
      .emit();
  return cuda;
}

CudaDriver::CudaDriver(const Library& library) {
  find(library, "cuInit", init);
  find(library, "cuDriverGetVersion", driver_version);
  find(library, "cuDeviceGetCount", device_count);
  find(library, "cuDeviceGet", get_device);
  find(library, "cuDeviceGetName", device_name);
  find(library, "cuDeviceGetAttribute", device_attribute);
  find(library, "cuDeviceTotalMem_v2", total_memory);
  find(library, "cuDeviceGetUuid", device_uuid);
  find(library, "cuDeviceGetPCIBusId", pci_bus_id);
  find(library, "cuDevicePrimaryCtxRetain", retain_context);
  find(library, "cuCtxSetCurrent", set_current);
  find(library, "cuMemGetInfo_v2", memory_info);
  find(library, "cuMemAlloc_v2", allocate);
  find(library, "cuMemFree_v2", release);
  find(library, "cuMemsetD32_v2", set_words);
  find(library, "cuMemcpyHtoD_v2", copy_in);
  find(library, "cuMemcpyDtoH_v2", copy_out);
  find(library, "cuModuleLoadDataEx", load_module);
  find(library, "cuModuleGetFunction", get_function);
  find(library, "cuLaunchKernel", launch);
  find(library, "cuCtxSynchronize", synchronize);
  find(library, "cuEventCreate", create_event);
  find(library, "cuEventRecord", record_event);
  find(library, "cuEventSynchronize", synchronize_event);
  find(library, "cuEventElapsedTime", elapsed);
  find(library, "cuModuleGetLoadingMode", loading_mode);
  find(library, "cuGetErrorName", error_name);
  loaded = library.loaded();
  stand_in = library.symbol("imgcheck_stand_in") != nullptr;
}

const char* CudaDriver::missing() const {
  if (init == nullptr) return "cuInit";
  if (driver_version == nullptr) return "cuDriverGetVersion";
  if (device_count == nullptr || get_device == nullptr) return "cuDeviceGetCount";
  if (device_name == nullptr || device_attribute == nullptr) return "cuDeviceGetAttribute";
  if (total_memory == nullptr || memory_info == nullptr) return "cuMemGetInfo_v2";
  if (pci_bus_id == nullptr || device_uuid == nullptr) return "cuDeviceGetPCIBusId";
  if (retain_context == nullptr || set_current == nullptr) return "cuDevicePrimaryCtxRetain";
  if (allocate == nullptr || release == nullptr || set_words == nullptr) return "cuMemAlloc_v2";
  if (copy_in == nullptr || copy_out == nullptr) return "cuMemcpyHtoD_v2";
  if (load_module == nullptr || get_function == nullptr) return "cuModuleLoadDataEx";
  if (launch == nullptr || synchronize == nullptr) return "cuLaunchKernel";
  if (create_event == nullptr || record_event == nullptr || synchronize_event == nullptr ||
      elapsed == nullptr) {
    return "cuEventCreate";
  }
  return nullptr;
}

std::string CudaDriver::name_of(int code) const {
  const char* name = nullptr;
  if (error_name != nullptr && error_name(code, &name) == 0 && name != nullptr) return name;
  return std::to_string(code);
}

CudaFailure enter_device(const CudaDriver& cuda, int ordinal) {
  int device = 0;
  void* context = nullptr;
  if (const int rc = cuda.init(0); rc != 0) return {"cuInit", rc};
  if (const int rc = cuda.get_device(&device, ordinal); rc != 0) return {"cuDeviceGet", rc};
  if (const int rc = cuda.retain_context(&context, device); rc != 0) {
    return {"cuDevicePrimaryCtxRetain", rc};
  }
  if (const int rc = cuda.set_current(context); rc != 0) return {"cuCtxSetCurrent", rc};
  return {};
}

std::string loading_mode_of(const CudaDriver& cuda) {
  int mode = 0;
  if (cuda.loading_mode == nullptr || cuda.loading_mode(&mode) != 0) return {};
  return mode == 2 ? "lazy" : mode == 1 ? "eager" : "";
}

FirstKernel run_first_kernel(const CudaDriver& cuda) {
  FirstKernel result;
  void* function = nullptr;
  result.failure = load_kernel(cuda, function, result.log);
  if (!result.failure.function.empty()) return result;
  std::vector<unsigned> values(kCount);
  for (unsigned i = 0; i < kCount; ++i) values[i] = value_at(i);
  result.failure = run_kernel(cuda, function, values);
  if (!result.failure.function.empty()) return result;
  for (unsigned i = 0; i < kCount; ++i) {
    ++result.elements;
    if (values[i] != value_at(i) * kFactor + i) ++result.wrong;
  }
  return result;
}

}  // namespace probe
