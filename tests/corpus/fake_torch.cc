// SPDX-License-Identifier: Apache-2.0
// A stand-in for libtorch_cpu.so: attention through the C functions that torch has for it, in all
// four types; FAKE_WRONG makes it forget that it was told to be causal, FAKE_DIES makes it abort.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

enum Type : std::int32_t { kHalf = 5, kFloat = 6, kDouble = 7, kBrain = 15 };

struct Tensor {
  char* data;
  std::int64_t sizes[4];
  std::int64_t strides[4];
  std::int32_t type;
  bool owned;
};

std::int64_t size_of(std::int32_t type) { return type == kDouble ? 8 : type == kFloat ? 4 : 2; }

double load(std::int32_t type, const char* from) {
  if (type == kDouble) return *reinterpret_cast<const double*>(from);
  if (type == kFloat) return *reinterpret_cast<const float*>(from);
  if (type == kHalf) return static_cast<double>(*reinterpret_cast<const _Float16*>(from));
  std::uint16_t upper = 0;
  std::memcpy(&upper, from, 2);
  const std::uint32_t bits = static_cast<std::uint32_t>(upper) << 16;
  float value = 0;
  std::memcpy(&value, &bits, 4);
  return value;
}

void store(std::int32_t type, double value, char* to) {
  if (type == kDouble) {
    *reinterpret_cast<double*>(to) = value;
  } else if (type == kFloat) {
    *reinterpret_cast<float*>(to) = static_cast<float>(value);
  } else if (type == kHalf) {
    *reinterpret_cast<_Float16*>(to) = static_cast<_Float16>(value);
  } else {
    const float narrow = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &narrow, 4);
    const auto upper = static_cast<std::uint16_t>((bits + 0x8000u) >> 16);
    std::memcpy(to, &upper, 2);
  }
}

double* plain(const Tensor& t) {
  const std::int64_t* n = t.sizes;
  auto* const values =
      static_cast<double*>(std::malloc(static_cast<std::size_t>(n[0] * n[1] * n[2] * n[3]) * 8));
  double* next = values;
  for (std::int64_t b = 0; b < n[0]; ++b) {
    for (std::int64_t h = 0; h < n[1]; ++h) {
      for (std::int64_t s = 0; s < n[2]; ++s) {
        for (std::int64_t d = 0; d < n[3]; ++d) {
          const std::int64_t at =
              b * t.strides[0] + h * t.strides[1] + s * t.strides[2] + d * t.strides[3];
          *next++ = load(t.type, t.data + at * size_of(t.type));
        }
      }
    }
  }
  return values;
}

/// One row of scores, then of weights that sum to one.
void weigh(const double* q, const double* k, const double* mask, std::int64_t keys,
           std::int64_t size, std::int64_t last, double scale, double* row) {
  double sum = 0;
  for (std::int64_t j = 0; j < keys; ++j) {
    double score = 0;
    for (std::int64_t d = 0; d < size; ++d) score += q[d] * k[j * size + d];
    score = score * scale + (mask != nullptr ? mask[j] : 0);
    row[j] = j > last ? 0 : std::exp(score);
    sum += row[j];
  }
  for (std::int64_t j = 0; j < keys; ++j) row[j] /= sum;
}

Tensor* make_result(const Tensor& q) {
  auto* const made = static_cast<Tensor*>(std::calloc(1, sizeof(Tensor)));
  made->type = q.type;
  made->owned = true;
  std::int64_t step = 1;
  for (int i = 3; i >= 0; --i) {
    made->sizes[i] = q.sizes[i];
    made->strides[i] = step;
    step *= q.sizes[i];
  }
  made->data = static_cast<char*>(std::malloc(static_cast<std::size_t>(step * size_of(q.type))));
  return made;
}

}  // namespace

extern "C" {

int torch_is_loaded() { return 1; }

std::int32_t aoti_torch_device_type_cpu() { return 0; }
std::int32_t aoti_torch_dtype_float16() { return kHalf; }
std::int32_t aoti_torch_dtype_float32() { return kFloat; }
std::int32_t aoti_torch_dtype_float64() { return kDouble; }
std::int32_t aoti_torch_dtype_bfloat16() { return kBrain; }

std::int32_t aoti_torch_create_tensor_from_blob(void* data, std::int64_t, const std::int64_t* sizes,
                                                const std::int64_t* strides, std::int64_t,
                                                std::int32_t type, std::int32_t, std::int32_t,
                                                Tensor** made) {
  *made = static_cast<Tensor*>(std::calloc(1, sizeof(Tensor)));
  (*made)->data = static_cast<char*>(data);
  (*made)->type = type;
  std::memcpy((*made)->sizes, sizes, sizeof((*made)->sizes));
  std::memcpy((*made)->strides, strides, sizeof((*made)->strides));
  return 0;
}
std::int32_t aoti_torch_delete_tensor_object(Tensor* tensor) {
  if (tensor->owned) std::free(tensor->data);
  std::free(tensor);
  return 0;
}
std::int32_t aoti_torch_get_data_ptr(Tensor* tensor, void** data) {
  *data = tensor->data;
  return 0;
}
std::int32_t aoti_torch_get_sizes(Tensor* tensor, std::int64_t** sizes) {
  *sizes = tensor->sizes;
  return 0;
}
std::int32_t aoti_torch_get_strides(Tensor* tensor, std::int64_t** strides) {
  *strides = tensor->strides;
  return 0;
}

std::int32_t aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu(
    Tensor* q, Tensor* k, Tensor* v, double, std::int32_t causal, Tensor** mask,
    const double* given, Tensor** out, Tensor** log_sum) {
#if defined(FAKE_DIES)
  std::abort();
#endif
#if defined(FAKE_WRONG)
  causal = 0;
#endif
  const std::int64_t keys = k->sizes[2], size = q->sizes[3], queries = q->sizes[2];
  const double scale = given != nullptr ? *given : 1 / std::sqrt(static_cast<double>(size));
  double *const qs = plain(*q), *const ks = plain(*k), *const vs = plain(*v);
  double* const masks = mask != nullptr ? plain(**mask) : nullptr;
  auto* const row = static_cast<double*>(std::malloc(static_cast<std::size_t>(keys) * 8));
  *out = make_result(*q);
  for (std::int64_t n = 0; n < q->sizes[0] * q->sizes[1] * queries; ++n) {
    const std::int64_t i = n % queries, head = n / queries;
    const bool shared = masks != nullptr && (*mask)->sizes[0] * (*mask)->sizes[1] == 1;
    const double* const scores =
        masks != nullptr ? masks + ((shared ? 0 : head) * queries + i) * keys : nullptr;
    weigh(qs + n * size, ks + head * keys * size, scores, keys, size, causal != 0 ? i : keys, scale,
          row);
    for (std::int64_t d = 0; d < size; ++d) {
      double value = 0;
      for (std::int64_t j = 0; j < keys; ++j) value += row[j] * vs[(head * keys + j) * size + d];
      store(q->type, value, (*out)->data + (n * size + d) * size_of(q->type));
    }
  }
  std::free(row);
  std::free(masks);
  std::free(vs);
  std::free(ks);
  std::free(qs);
  *log_sum = nullptr;
  return 0;
}

}  // extern "C"
