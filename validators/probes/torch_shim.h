// SPDX-License-Identifier: Apache-2.0
// The few functions of torch's C ABI (the shim of AOTInductor) that the probes call, found by name.
#pragma once

#include "validators/probes/library.h"
#include "validators/probes/number_types.h"

#include <cstdint>
#include <string>

namespace probe {

using TensorHandle = struct AtenTensorOpaque*;
using StableValue = std::uint64_t;  ///< torch's StableIValue

/// Function pointers; nullptr where this torch has no such function. Declarations are those of
/// torch 2.4 to 2.15, which do not differ.
struct TorchShim {
  explicit TorchShim(const Library& torch);

  std::int32_t (*create_from_blob)(void* data, std::int64_t dimensions, const std::int64_t* sizes,
                                   const std::int64_t* strides, std::int64_t offset,
                                   std::int32_t type, std::int32_t device_type,
                                   std::int32_t device_index, TensorHandle* made);
  std::int32_t (*delete_tensor)(TensorHandle tensor);
  std::int32_t (*new_handle)(TensorHandle of, TensorHandle* made);
  std::int32_t (*get_data)(TensorHandle tensor, void** data);
  std::int32_t (*get_sizes)(TensorHandle tensor, std::int64_t** sizes);
  std::int32_t (*get_strides)(TensorHandle tensor, std::int64_t** strides);
  std::int32_t (*device_cpu)();
  std::int32_t (*type_float32)();
  std::int32_t (*type_float64)();
  std::int32_t (*type_float16)();
  std::int32_t (*type_bfloat16)();
  void (*set_grad_mode)(bool on);
  std::int32_t (*flash_attention_cpu)(TensorHandle q, TensorHandle k, TensorHandle v,
                                      double dropout, std::int32_t causal, TensorHandle* mask,
                                      double* scale, TensorHandle* out, TensorHandle* log_sum);
  std::int32_t (*call_dispatcher)(const char* operation, const char* overload, StableValue* stack);
  std::int32_t (*call_dispatcher_versioned)(const char* operation, const char* overload,
                                            StableValue* stack, std::uint64_t build_version);
  const char* (*exception_text)();

  /// The name of a function that every torch with this ABI has and this one lacks; nullptr: none.
  const char* missing() const;
  std::int32_t type_of(NumberType type) const;
};

}  // namespace probe
