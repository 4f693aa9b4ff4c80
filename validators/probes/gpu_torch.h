// SPDX-License-Identifier: Apache-2.0
// torch's C ABI on the GPU: tensors there, copies, and each attention backend by itself.
#pragma once

#include "validators/probes/attention.h"
#include "validators/probes/torch_shim.h"

#include <cstdint>
#include <string>
#include <vector>

namespace probe {

/// Function pointers; nullptr where this torch has no such function. Declarations are those of
/// torch 2.4 to 2.15, which do not differ.
struct GpuShim {
  explicit GpuShim(const Library& torch);

  std::int32_t (*device_cuda)();
  std::int32_t (*empty_strided)(std::int64_t dimensions, const std::int64_t* sizes,
                                const std::int64_t* strides, std::int32_t type,
                                std::int32_t device_type, std::int32_t device_index,
                                TensorHandle* made);
  std::int32_t (*copy)(TensorHandle to, TensorHandle from, std::int32_t non_blocking);
  std::int32_t (*flash)(TensorHandle q, TensorHandle k, TensorHandle v, double dropout,
                        std::int32_t causal, std::int32_t debug, double* scale, TensorHandle* out,
                        TensorHandle* log_sum, TensorHandle* sums_q, TensorHandle* sums_k,
                        std::int64_t* longest_q, std::int64_t* longest_k, TensorHandle* seed,
                        TensorHandle* offset, TensorHandle* debug_mask);
  std::int32_t (*efficient)(TensorHandle q, TensorHandle k, TensorHandle v, TensorHandle* bias,
                            std::int32_t log_sums, double dropout, std::int32_t causal,
                            double* scale, TensorHandle* out, TensorHandle* log_sum,
                            TensorHandle* seed, TensorHandle* offset);
  std::int32_t (*cudnn)(TensorHandle q, TensorHandle k, TensorHandle v, TensorHandle* bias,
                        std::int32_t log_sums, double dropout, std::int32_t causal,
                        std::int32_t debug, double* scale, TensorHandle* out, TensorHandle* log_sum,
                        TensorHandle* sums_q, TensorHandle* sums_k, std::int64_t* longest_q,
                        std::int64_t* longest_k, TensorHandle* seed, TensorHandle* offset,
                        TensorHandle* debug_mask);

  /// The name of a function that every torch with this ABI has and this one lacks; nullptr: none.
  const char* missing() const;
};

enum class Backend { flash, efficient, cudnn };
const char* name_of(Backend backend);
const char* symbol_of(Backend backend);

/// What a call of torch gave: a code, the text of its exception, a tensor.
struct GpuAnswer {
  std::int32_t rc = -1;
  std::string error;
  TensorHandle out = nullptr;
};

/// Calls torch and keeps the text of exceptions; torch prints it to standard error up to 2.8.
class GpuTorch {
 public:
  GpuTorch(const TorchShim& shim, const GpuShim& gpu) : shim_(shim), gpu_(gpu) {}

  bool has(Backend backend) const;
  /// The tensor's values on the device of that number.
  GpuAnswer upload(const Tensor& tensor, std::int32_t device) const;
  /// Another tensor on that device with the same values in another type: a kernel of torch.
  GpuAnswer convert(TensorHandle from, const Tensor& shape, NumberType type,
                    std::int32_t device) const;
  /// The values of a tensor of these sizes in (batch, heads, sequence, size) order; `error` says
  /// why there are none.
  std::vector<double> download(TensorHandle from, NumberType type, const Tensor::Shape& sizes,
                               std::string& error) const;

  struct Request {
    TensorHandle q, k, v, mask;  ///< mask: nullptr for none
    bool causal = false;
    bool scaled = false;
    double scale = 0;
  };
  GpuAnswer attention(Backend backend, Request request) const;
  /// aten::_fused_sdp_choice: the number of the backend that the dispatcher takes.
  GpuAnswer choice(const Request& request, bool grouped, std::int64_t& backend) const;
  bool has_dispatcher() const;

  void remove(TensorHandle tensor) const;

 private:
  GpuAnswer finish(std::int32_t rc, TensorHandle out, std::int64_t printed) const;

  const TorchShim& shim_;
  const GpuShim& gpu_;
};

}  // namespace probe
