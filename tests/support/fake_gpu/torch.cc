// SPDX-License-Identifier: Apache-2.0
// A stand-in for libtorch.so: the C functions that the GPU probes call, computed in double on host
// memory. Each backend refuses what the real one refuses.
//
// Faults: torch-no-image; for flash, efficient and cudnn: BACKEND-wrong, -nan, -refuse, -abort,
// -hang. -DWITHOUT_CUDNN leaves cuDNN's function out, -DWITHOUT_DISPATCHER the dispatcher.
#include "tests/support/fake_gpu/fake.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>
#include <vector>

#include <dlfcn.h>

namespace {

struct Tensor {
  std::vector<std::int64_t> sizes, strides;
  std::int32_t type = 0, device = 0;
  char* data = nullptr;
  std::vector<char> own;
};

constexpr std::int32_t kHalf = 5, kFloat = 6, kDouble = 7, kBrain = 15;

std::size_t width(std::int32_t type) { return type == kDouble ? 8 : type == kFloat ? 4 : 2; }

double load(const Tensor& t, std::int64_t at) {
  const char* const from = t.data + static_cast<std::size_t>(at) * width(t.type);
  if (t.type == kDouble) return *reinterpret_cast<const double*>(from);
  if (t.type == kFloat) return static_cast<double>(*reinterpret_cast<const float*>(from));
  if (t.type == kHalf) return static_cast<double>(*reinterpret_cast<const _Float16*>(from));
  std::uint32_t bits = static_cast<std::uint32_t>(*reinterpret_cast<const std::uint16_t*>(from))
                       << 16;
  float value = 0;
  std::memcpy(&value, &bits, 4);
  return static_cast<double>(value);
}

void store(Tensor& t, std::int64_t at, double value) {
  char* const to = t.data + static_cast<std::size_t>(at) * width(t.type);
  if (t.type == kDouble) *reinterpret_cast<double*>(to) = value;
  if (t.type == kFloat) *reinterpret_cast<float*>(to) = static_cast<float>(value);
  if (t.type == kHalf) *reinterpret_cast<_Float16*>(to) = static_cast<_Float16>(value);
  if (t.type == kBrain) {
    const float narrow = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &narrow, 4);
    if (std::isfinite(narrow)) bits += 0x7FFF + (bits >> 16 & 1);
    *reinterpret_cast<std::uint16_t*>(to) = static_cast<std::uint16_t>(bits >> 16);
  }
}

std::int64_t offset(const Tensor& t, std::int64_t b, std::int64_t h, std::int64_t s,
                    std::int64_t d) {
  return b * t.strides[0] + h * t.strides[1] + s * t.strides[2] + d * t.strides[3];
}

Tensor* make(std::vector<std::int64_t> sizes, std::vector<std::int64_t> strides, std::int32_t type,
             std::int32_t device) {
  auto* const made = new Tensor;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) last += (sizes[i] - 1) * strides[i];
  made->own.resize(static_cast<std::size_t>(last + 1) * width(type));
  made->data = made->own.data();
  made->sizes = std::move(sizes);
  made->strides = std::move(strides);
  made->type = type;
  made->device = device;
  return made;
}

/// As torch up to 2.8 tells of an exception.
int refuse(const char* text) {
  std::fprintf(stderr, "[E1125 c_shim_cuda.cpp:385] Exception in aoti_torch: %s\nat: x\n", text);
  return 1;
}

bool old_gpu() { return std::atoi(fake::text("FAKE_GPU_CAPABILITY", "9.0").c_str()) < 8; }

/// softmax(scale q kᵀ + mask) v; key heads are shared by consecutive query heads. The output lies
/// in (batch, sequence, heads, size) order, as the real kernels leave it.
Tensor* compute(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor* mask, bool causal,
                double scale) {
  const auto [B, H, Q, D] = std::tuple{q.sizes[0], q.sizes[1], q.sizes[2], q.sizes[3]};
  const std::int64_t K = k.sizes[2], group = H / k.sizes[1];
  Tensor* const out = make({B, H, Q, D}, {Q * H * D, D, H * D, 1}, q.type, 1);
  std::vector<double> weights(static_cast<std::size_t>(K)), row(static_cast<std::size_t>(D));
  for (std::int64_t b = 0; b < B; ++b)
    for (std::int64_t h = 0; h < H; ++h)
      for (std::int64_t i = 0; i < Q; ++i) {
        double top = -INFINITY, sum = 0;
        for (std::int64_t d = 0; d < D; ++d)
          row[static_cast<std::size_t>(d)] = load(q, offset(q, b, h, i, d));
        for (std::int64_t j = 0; j < K; ++j) {
          double score = 0;
          for (std::int64_t d = 0; d < D; ++d)
            score += row[static_cast<std::size_t>(d)] * load(k, offset(k, b, h / group, j, d));
          score *= scale;
          if (mask != nullptr) score += load(*mask, offset(*mask, b, h, i, j));
          if (causal && j > i) score = -INFINITY;
          weights[static_cast<std::size_t>(j)] = score;
          top = std::max(top, score);
        }
        for (double& weight : weights) sum += weight = std::exp(weight - top);
        std::fill(row.begin(), row.end(), 0.0);
        for (std::int64_t j = 0; j < K; ++j) {
          const double weight = weights[static_cast<std::size_t>(j)] / sum;
          if (weight == 0) continue;
          for (std::int64_t d = 0; d < D; ++d)
            row[static_cast<std::size_t>(d)] += weight * load(v, offset(v, b, h / group, j, d));
        }
        for (std::int64_t d = 0; d < D; ++d)
          store(*out, offset(*out, b, h, i, d), row[static_cast<std::size_t>(d)]);
      }
  return out;
}

int attention(const std::string& backend, Tensor* q, Tensor* k, Tensor* v, Tensor** mask,
              int causal, const double* scale, Tensor** out) {
  fake::misbehave(backend);
  if (fake::has_fault(backend + "-refuse"))
    return refuse("No available kernel. Aborting execution.");
  const bool half = q->type == kHalf || q->type == kBrain;
  if (q->device == 0) return refuse("Could not run on the CPU backend");
  if (backend != "efficient" && (old_gpu() || !half))
    return refuse("only sm80 or newer and half types");
  if (backend == "efficient" && q->type == kBrain && old_gpu()) return refuse("no bfloat16 here");
  if (backend == "efficient" && q->sizes[1] != k->sizes[1]) return refuse("heads must be equal");
  if (backend == "cudnn" && (q->sizes[3] > 128 || k->sizes[2] == 1)) return refuse("not supported");
  if (q->sizes[3] % 8 != 0) return refuse("head size must be a multiple of 8");
  if (q->strides[3] != 1) return refuse("last dimension must be contiguous");
  if (mask != nullptr && (*mask)->strides[2] % 8 != 0) return refuse("attn_bias is not aligned");
  *out = compute(*q, *k, *v, mask != nullptr ? *mask : nullptr, causal != 0,
                 scale != nullptr ? *scale : 1 / std::sqrt(static_cast<double>(q->sizes[3])));
  if (fake::has_fault(backend + "-wrong")) store(**out, 1, load(**out, 1) + 1);
  if (fake::has_fault(backend + "-nan")) store(**out, 0, NAN);
  return 0;
}

/// Like the real one, torch brings its cuDNN into the process.
const bool loaded = [] {
  Dl_info here{};
  if (::dladdr(reinterpret_cast<void*>(&refuse), &here) != 0) {
    const std::string lib = here.dli_fname;
    const std::string site = lib.substr(0, lib.rfind("/torch/lib/"));
    ::dlopen((site + "/nvidia/cudnn/lib/libcudnn.so.9").c_str(), RTLD_NOW);
  }
  return true;
}();

}  // namespace

extern "C" {

std::int32_t aoti_torch_device_type_cpu() { return 0; }
std::int32_t aoti_torch_device_type_cuda() { return 1; }
std::int32_t aoti_torch_dtype_float16() { return kHalf; }
std::int32_t aoti_torch_dtype_float32() { return kFloat; }
std::int32_t aoti_torch_dtype_float64() { return kDouble; }
std::int32_t aoti_torch_dtype_bfloat16() { return kBrain; }
void aoti_torch_grad_mode_set_enabled(bool) {}

std::int32_t aoti_torch_create_tensor_from_blob(void* data, std::int64_t dimensions,
                                                const std::int64_t* sizes,
                                                const std::int64_t* strides, std::int64_t,
                                                std::int32_t type, std::int32_t device,
                                                std::int32_t, Tensor** made) {
  *made = new Tensor;
  (*made)->sizes.assign(sizes, sizes + dimensions);
  (*made)->strides.assign(strides, strides + dimensions);
  (*made)->data = static_cast<char*>(data);
  (*made)->type = type;
  (*made)->device = device;
  return 0;
}
std::int32_t aoti_torch_empty_strided(std::int64_t dimensions, const std::int64_t* sizes,
                                      const std::int64_t* strides, std::int32_t type,
                                      std::int32_t device, std::int32_t index, Tensor** made) {
  if (device == 1 && index >= fake::number("FAKE_GPUS", 1)) return refuse("invalid device ordinal");
  *made = make({sizes, sizes + dimensions}, {strides, strides + dimensions}, type, device);
  return 0;
}
std::int32_t aoti_torch_delete_tensor_object(Tensor* tensor) {
  delete tensor;
  return 0;
}
std::int32_t aoti_torch_new_tensor_handle(Tensor* of, Tensor** made) {
  *made = new Tensor(*of);
  if (!of->own.empty()) (*made)->data = (*made)->own.data();
  return 0;
}
std::int32_t aoti_torch_get_data_ptr(Tensor* tensor, void** data) {
  *data = tensor->data;
  return 0;
}
std::int32_t aoti_torch_get_sizes(Tensor* tensor, std::int64_t** sizes) {
  *sizes = tensor->sizes.data();
  return 0;
}
std::int32_t aoti_torch_get_strides(Tensor* tensor, std::int64_t** strides) {
  *strides = tensor->strides.data();
  return 0;
}
std::int32_t aoti_torch_copy_(Tensor* to, Tensor* from, std::int32_t) {
  if (to->sizes != from->sizes) return refuse("sizes differ");
  // Between two types on the GPU a kernel runs; else memory is copied.
  if (to->device == 1 && from->device == 1 && fake::has_fault("torch-no-image")) {
    return refuse("CUDA error: no kernel image is available for execution on the device");
  }
  for (std::int64_t b = 0; b < to->sizes[0]; ++b)
    for (std::int64_t h = 0; h < to->sizes[1]; ++h)
      for (std::int64_t s = 0; s < to->sizes[2]; ++s)
        for (std::int64_t d = 0; d < to->sizes[3]; ++d)
          store(*to, offset(*to, b, h, s, d), load(*from, offset(*from, b, h, s, d)));
  return 0;
}
std::int32_t aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu(Tensor*, Tensor*, Tensor*,
                                                                        double, std::int32_t,
                                                                        Tensor**, double*, Tensor**,
                                                                        Tensor**) {
  return refuse("this stand-in computes on the GPU");
}
std::int32_t aoti_torch_cuda__scaled_dot_product_flash_attention(
    Tensor* q, Tensor* k, Tensor* v, double, std::int32_t causal, std::int32_t, double* scale,
    Tensor** out, Tensor** r1, Tensor** r2, Tensor** r3, std::int64_t* i1, std::int64_t* i2,
    Tensor** r4, Tensor** r5, Tensor** r6) {
  const int rc = attention("flash", q, k, v, nullptr, causal, scale, out);
  if (rc != 0) return rc;
  for (Tensor** extra : {r1, r2, r3, r4, r5, r6}) *extra = new Tensor;
  *i1 = q->sizes[2];
  *i2 = k->sizes[2];
  return 0;
}
std::int32_t aoti_torch_cuda__scaled_dot_product_efficient_attention(
    Tensor* q, Tensor* k, Tensor* v, Tensor** bias, std::int32_t, double, std::int32_t causal,
    double* scale, Tensor** out, Tensor** r1, Tensor** r2, Tensor** r3) {
  const int rc = attention("efficient", q, k, v, bias, causal, scale, out);
  if (rc != 0) return rc;
  for (Tensor** extra : {r1, r2, r3}) *extra = new Tensor;
  return 0;
}
#ifndef WITHOUT_CUDNN
std::int32_t aoti_torch_cuda__scaled_dot_product_cudnn_attention(
    Tensor* q, Tensor* k, Tensor* v, Tensor** bias, std::int32_t, double, std::int32_t causal,
    std::int32_t, double* scale, Tensor** out, Tensor** r1, Tensor** r2, Tensor** r3,
    std::int64_t* i1, std::int64_t* i2, Tensor** r4, Tensor** r5, Tensor** r6) {
  const int rc = attention("cudnn", q, k, v, bias, causal, scale, out);
  if (rc != 0) return rc;
  for (Tensor** extra : {r1, r2, r3, r4, r5, r6}) *extra = new Tensor;
  *i1 = q->sizes[2];
  *i2 = k->sizes[2];
  return 0;
}
#endif
#ifndef WITHOUT_DISPATCHER
/// Only aten::_fused_sdp_choice. Takes the handles that it is given and frees the optional.
std::int32_t aoti_torch_call_dispatcher(const char* operation, const char*, std::uint64_t* stack) {
  if (std::string(operation) != "aten::_fused_sdp_choice") return refuse("no such operation");
  auto* const q = reinterpret_cast<Tensor*>(stack[0]);
  const bool mask = stack[3] != 0, grouped = stack[7] != 0;
  const bool half = q->type != kFloat;
  std::uint64_t chosen = half && !mask && !old_gpu() ? 1 : 2;
  if (grouped && old_gpu()) chosen = 0;
  if (const std::string named = fake::text("FAKE_CHOICE", ""); !named.empty() && half && !mask) {
    chosen = std::strtoull(named.c_str(), nullptr, 10);
  }
  for (int i = 0; i < 3; ++i) delete reinterpret_cast<Tensor*>(stack[i]);
  if (mask) {
    auto* const box = reinterpret_cast<std::uint64_t*>(stack[3]);
    delete reinterpret_cast<Tensor*>(*box);
    delete box;
  }
  stack[0] = chosen;
  return 0;
}
#endif

}  // extern "C"
