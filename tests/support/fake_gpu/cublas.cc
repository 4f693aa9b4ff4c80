// SPDX-License-Identifier: Apache-2.0
// A stand-in for libcublas.so.12. Faults: cublas-no-image, cublas-wrong, cublas-abort, cublas-hang.
#include "tests/support/fake_gpu/fake.h"

extern "C" {

int cublasCreate_v2(void** handle) {
  *handle = new int(7);
  return 0;
}
int cublasDestroy_v2(void* handle) {
  delete static_cast<int*>(handle);
  return 0;
}
int cublasSgemm_v2(void*, int operation_a, int operation_b, int rows, int columns, int inner,
                   const float* alpha, const float* a, int leading_a, const float* b, int leading_b,
                   const float* beta, float* c, int leading_c) {
  fake::misbehave("cublas");
  if (fake::has_fault("cublas-no-image")) return 8;  // ARCH_MISMATCH
  if (operation_a != 0 || operation_b != 0) return 7;
  for (int column = 0; column < columns; ++column) {
    for (int row = 0; row < rows; ++row) {
      float sum = 0;
      for (int k = 0; k < inner; ++k) sum += a[k * leading_a + row] * b[column * leading_b + k];
      float& to = c[column * leading_c + row];
      to = *alpha * sum + *beta * to;
    }
  }
  if (fake::has_fault("cublas-wrong")) c[0] += 1;
  return 0;
}

}  // extern "C"
