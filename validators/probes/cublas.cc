// SPDX-License-Identifier: Apache-2.0
// One matrix product through cuBLAS.
#include "validators/probes/cublas.h"

#include <array>
#include <vector>

namespace probe {
namespace {

template <typename Function>
void find(const Library& cublas, const char* name, Function*& function) {
  function = cublas.function<Function>(name);
}

// Odd sizes: none is a multiple of a tile.
constexpr int kRows = 67, kColumns = 45, kInner = 129;

std::vector<float> small_numbers(int count, int factor) {
  std::vector<float> values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i * factor % 17 - 8));
  return values;
}

/// Column by column, as cuBLAS has them.
std::int64_t count_wrong(const std::vector<float>& a, const std::vector<float>& b,
                         const std::vector<float>& c) {
  std::int64_t wrong = 0;
  for (int column = 0; column < kColumns; ++column) {
    for (int row = 0; row < kRows; ++row) {
      double sum = 0;
      for (int k = 0; k < kInner; ++k) {
        sum += static_cast<double>(a[static_cast<std::size_t>(k * kRows + row)]) *
               static_cast<double>(b[static_cast<std::size_t>(column * kInner + k)]);
      }
      if (static_cast<double>(c[static_cast<std::size_t>(column * kRows + row)]) != sum) ++wrong;
    }
  }
  return wrong;
}

Product failed(const CudaDriver& cuda, const char* function, int rc) {
  return {function, rc, cuda.name_of(rc)};
}

}  // namespace

Cublas::Cublas(const Library& library) {
  find(library, "cublasCreate_v2", create);
  find(library, "cublasDestroy_v2", destroy);
  find(library, "cublasSgemm_v2", multiply);
}

const char* Cublas::missing() const {
  if (create == nullptr) return "cublasCreate_v2";
  if (destroy == nullptr) return "cublasDestroy_v2";
  return multiply == nullptr ? "cublasSgemm_v2" : nullptr;
}

Product run_product(const CudaDriver& cuda, const Cublas& cublas) {
  const std::vector<float> a = small_numbers(kRows * kInner, 7);
  const std::vector<float> b = small_numbers(kInner * kColumns, 11);
  std::vector<float> c(static_cast<std::size_t>(kRows * kColumns));
  void* handle = nullptr;
  if (const int rc = cublas.create(&handle); rc != 0) {
    return {"cublasCreate_v2", rc, "status " + std::to_string(rc)};
  }
  const std::array<const std::vector<float>*, 3> hosts{&a, &b, &c};
  std::array<DevicePointer, 3> devices{};
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::size_t bytes = hosts[i]->size() * sizeof(float);
    if (const int rc = cuda.allocate(&devices[i], bytes); rc != 0) {
      return failed(cuda, "cuMemAlloc_v2", rc);
    }
    if (const int rc = cuda.copy_in(devices[i], hosts[i]->data(), bytes); rc != 0) {
      return failed(cuda, "cuMemcpyHtoD_v2", rc);
    }
  }
  const float one = 1, zero = 0;
  const auto pointer = [&](std::size_t i) { return reinterpret_cast<float*>(devices[i]); };
  if (const int rc = cublas.multiply(handle, 0, 0, kRows, kColumns, kInner, &one, pointer(0), kRows,
                                     pointer(1), kInner, &zero, pointer(2), kRows);
      rc != 0) {
    return {"cublasSgemm_v2", rc, "status " + std::to_string(rc)};
  }
  if (const int rc = cuda.synchronize(); rc != 0) return failed(cuda, "cuCtxSynchronize", rc);
  if (const int rc = cuda.copy_out(c.data(), devices[2], c.size() * sizeof(float)); rc != 0) {
    return failed(cuda, "cuMemcpyDtoH_v2", rc);
  }
  Product product;
  product.elements = static_cast<std::int64_t>(c.size());
  product.wrong = count_wrong(a, b, c);
  for (const DevicePointer device : devices) cuda.release(device);
  cublas.destroy(handle);
  return product;
}

}  // namespace probe
