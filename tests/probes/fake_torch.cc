// SPDX-License-Identifier: Apache-2.0
// A stand-in for libtorch_cpu.so: the C functions that the attention probe calls, right or wrong as
// $FAKE_TORCH says (right, wrong, error, crash).
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct FakeTensor {
  char* data = nullptr;
  std::int64_t sizes[4] = {};
  std::int64_t strides[4] = {};
  std::int32_t type = 0;
  std::vector<char> own;
};

std::string mode() {
  const char* const text = std::getenv("FAKE_TORCH");
  return text != nullptr ? text : "right";
}

/// Only float32 and float64: the half types are read as what they are not, which is wrong on
/// purpose.
double read(const FakeTensor& t, const std::int64_t* at) {
  std::int64_t offset = 0;
  for (int i = 0; i < 4; ++i) offset += (t.sizes[i] == 1 ? 0 : at[i]) * t.strides[i];
  if (t.type == 7) return reinterpret_cast<const double*>(t.data)[offset];
  return reinterpret_cast<const float*>(t.data)[offset];
}

void compute(const FakeTensor& q, const FakeTensor& k, const FakeTensor& v, bool causal,
             const FakeTensor* mask, double scale, FakeTensor& out) {
  const std::int64_t keys = k.sizes[2];
  std::int64_t at[4];
  for (std::int64_t n = 0; n < q.sizes[0] * q.sizes[1] * q.sizes[2]; ++n) {
    const std::int64_t i = n % q.sizes[2], h = n / q.sizes[2] % q.sizes[1];
    const std::int64_t b = n / q.sizes[2] / q.sizes[1];
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t j = 0; j < keys; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < q.sizes[3]; ++d) {
        const std::int64_t in_q[4] = {b, h, i, d}, in_k[4] = {b, h, j, d};
        score += read(q, in_q) * read(k, in_k);
      }
      const std::int64_t in_mask[4] = {b, h, i, j};
      score = score * scale + (mask != nullptr ? read(*mask, in_mask) : 0);
      if (causal && j > i) score = -INFINITY;
      weights.push_back(std::exp(score));
      sum += weights.back();
    }
    for (std::int64_t d = 0; d < q.sizes[3]; ++d) {
      double value = 0;
      for (std::int64_t j = 0; j < keys; ++j) {
        at[0] = b, at[1] = h, at[2] = j, at[3] = d;
        value += weights[static_cast<std::size_t>(j)] / sum * read(v, at);
      }
      const std::int64_t index = (n * q.sizes[3]) + d;
      if (out.type == 7) {
        reinterpret_cast<double*>(out.data)[index] = value;
      } else {
        reinterpret_cast<float*>(out.data)[index] = static_cast<float>(value);
      }
    }
  }
}

}  // namespace

extern "C" {

int imgcheck_stand_in() { return 1; }

std::int32_t aoti_torch_device_type_cpu() { return 0; }
std::int32_t aoti_torch_dtype_float16() { return 5; }
std::int32_t aoti_torch_dtype_float32() { return 6; }
std::int32_t aoti_torch_dtype_float64() { return 7; }
std::int32_t aoti_torch_dtype_bfloat16() { return 15; }

std::int32_t aoti_torch_create_tensor_from_blob(void* data, std::int64_t, const std::int64_t* sizes,
                                                const std::int64_t* strides, std::int64_t,
                                                std::int32_t type, std::int32_t, std::int32_t,
                                                FakeTensor** made) {
  *made = new FakeTensor;
  (*made)->data = static_cast<char*>(data);
  (*made)->type = type;
  std::memcpy((*made)->sizes, sizes, sizeof((*made)->sizes));
  std::memcpy((*made)->strides, strides, sizeof((*made)->strides));
  return 0;
}
std::int32_t aoti_torch_delete_tensor_object(FakeTensor* tensor) {
  delete tensor;
  return 0;
}
std::int32_t aoti_torch_get_data_ptr(FakeTensor* tensor, void** data) {
  *data = tensor->data;
  return 0;
}
std::int32_t aoti_torch_get_sizes(FakeTensor* tensor, std::int64_t** sizes) {
  *sizes = tensor->sizes;
  return 0;
}
std::int32_t aoti_torch_get_strides(FakeTensor* tensor, std::int64_t** strides) {
  *strides = tensor->strides;
  return 0;
}

std::int32_t aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu(
    FakeTensor* q, FakeTensor* k, FakeTensor* v, double, std::int32_t causal, FakeTensor** mask,
    double* scale, FakeTensor** out, FakeTensor** log_sum) {
  if (mode() == "crash") std::abort();
  if (mode() == "error") {
    std::fprintf(stderr,
                 "[E1125 c_shim_cpu.cpp:385] Exception in aoti_torch: no kernel today\nat: x\n");
    return 1;
  }
  auto* const made = new FakeTensor;
  made->type = q->type;
  std::memcpy(made->sizes, q->sizes, sizeof(made->sizes));
  for (int i = 3, step = 1; i >= 0; --i) {
    made->strides[i] = step;
    step *= static_cast<int>(made->sizes[i]);
  }
  made->own.resize(static_cast<std::size_t>(made->strides[0] * made->sizes[0]) * 8);
  made->data = made->own.data();
  const bool readable = q->type == 6 || q->type == 7;
  if (mode() == "right" && readable) {
    const double root = 1 / std::sqrt(static_cast<double>(q->sizes[3]));
    compute(*q, *k, *v, causal != 0, mask != nullptr ? *mask : nullptr,
            scale != nullptr ? *scale : root, *made);
  }
  *out = made;
  *log_sum = new FakeTensor;
  return 0;
}

}  // extern "C"
