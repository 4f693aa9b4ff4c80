// SPDX-License-Identifier: Apache-2.0
// The functions of cuBLAS that the probes call, found by name, and one product of whole numbers.
#pragma once

#include "validators/probes/cuda_driver.h"
#include "validators/probes/library.h"

#include <cstdint>
#include <string>

namespace probe {

/// Function pointers; nullptr where this cuBLAS has no such function. Handles are `void*` here.
struct Cublas {
  explicit Cublas(const Library& library);

  int (*create)(void** handle);
  int (*destroy)(void* handle);
  int (*multiply)(void* handle, int operation_a, int operation_b, int rows, int columns, int inner,
                  const float* alpha, const float* a, int leading_a, const float* b, int leading_b,
                  const float* beta, float* c, int leading_c);

  const char* missing() const;
};

/// A product of small whole numbers, exact in any precision that a GPU may use for it.
struct Product {
  std::string function;  ///< that failed; empty: none
  int rc = 0;
  std::string error;
  std::int64_t elements = 0, wrong = 0;
};
/// In the context that is current.
Product run_product(const CudaDriver& cuda, const Cublas& cublas);

}  // namespace probe
