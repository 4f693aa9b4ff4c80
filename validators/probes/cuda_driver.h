// SPDX-License-Identifier: Apache-2.0
// The functions of CUDA's driver API that the probes call, found by name, and a context to work in.
#pragma once

#include "validators/probes/library.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace probe {

using DevicePointer = unsigned long long;

/// Function pointers; nullptr where this driver has no such function. Objects of the driver are
/// `void*` here, devices and enumerations `int`.
struct CudaDriver {
  /// Opens "libcuda.so.1" by the loader, as every CUDA program does, and writes an event library.
  static CudaDriver open();
  explicit CudaDriver(const Library& library);

  int (*init)(unsigned flags);
  int (*driver_version)(int* version);
  int (*device_count)(int* count);
  int (*get_device)(int* device, int ordinal);
  int (*device_name)(char* name, int length, int device);
  int (*device_attribute)(int* value, int attribute, int device);
  int (*total_memory)(std::size_t* bytes, int device);
  int (*device_uuid)(void* uuid, int device);
  int (*pci_bus_id)(char* id, int length, int device);
  int (*retain_context)(void** context, int device);
  int (*set_current)(void* context);
  int (*memory_info)(std::size_t* free, std::size_t* total);
  int (*allocate)(DevicePointer* pointer, std::size_t bytes);
  int (*release)(DevicePointer pointer);
  int (*set_words)(DevicePointer pointer, unsigned value, std::size_t count);
  int (*copy_in)(DevicePointer to, const void* from, std::size_t bytes);
  int (*copy_out)(void* to, DevicePointer from, std::size_t bytes);
  int (*load_module)(void** module, const void* image, unsigned options, int* names, void** values);
  int (*get_function)(void** function, void* module, const char* name);
  int (*launch)(void* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
                unsigned block_y, unsigned block_z, unsigned shared_bytes, void* stream,
                void** parameters, void** extra);
  int (*synchronize)();
  int (*create_event)(void** event, unsigned flags);
  int (*record_event)(void* event, void* stream);
  int (*synchronize_event)(void* event);
  int (*elapsed)(float* milliseconds, void* from, void* to);
  int (*loading_mode)(int* mode);
  int (*error_name)(int code, const char** name);

  bool loaded = false;
  bool stand_in = false;

  /// The name of a function that every driver since CUDA 11 has and this one lacks; nullptr: none.
  const char* missing() const;
  /// "CUDA_ERROR_NO_DEVICE", or the number.
  std::string name_of(int code) const;
};

/// A call that failed: which, and its code.
struct CudaFailure {
  std::string function;  ///< empty: nothing failed
  int code = 0;
};

/// cuInit, the device of this number and its primary context, made current for this thread.
CudaFailure enter_device(const CudaDriver& cuda, int ordinal);

/// "lazy", "eager", or empty when the driver does not say. After cuInit.
std::string loading_mode_of(const CudaDriver& cuda);

/// Loads, runs and verifies a small kernel of ours that the driver compiles from PTX: y = a y + i.
struct FirstKernel {
  CudaFailure failure;
  std::string log;  ///< of the driver's compiler
  std::int64_t elements = 0, wrong = 0;
};
FirstKernel run_first_kernel(const CudaDriver& cuda);

}  // namespace probe
