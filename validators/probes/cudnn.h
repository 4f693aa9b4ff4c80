// SPDX-License-Identifier: Apache-2.0
// The functions of cuDNN that the probes call, found by name.
#pragma once

#include "validators/probes/library.h"

#include <cstddef>

namespace probe {

/// Function pointers; nullptr where this cuDNN has no such function. Handles and descriptors are
/// `void*` here, enumerations `int`.
struct Cudnn {
  explicit Cudnn(const Library& library);

  std::size_t (*version)();
  int (*create)(void** handle);
  int (*create_tensor)(void** descriptor);
  int (*set_tensor)(void* descriptor, int format, int type, int n, int c, int h, int w);
  int (*create_filter)(void** descriptor);
  int (*set_filter)(void* descriptor, int type, int format, int k, int c, int h, int w);
  int (*create_convolution)(void** descriptor);
  int (*set_convolution)(void* descriptor, int pad_h, int pad_w, int stride_h, int stride_w,
                         int dilation_h, int dilation_w, int mode, int type);
  int (*forward_workspace)(void* handle, void* x, void* w, void* convolution, void* y,
                           int algorithm, std::size_t* bytes);
  int (*data_workspace)(void* handle, void* w, void* dy, void* convolution, void* dx, int algorithm,
                        std::size_t* bytes);
  int (*filter_workspace)(void* handle, void* x, void* dy, void* convolution, void* dw,
                          int algorithm, std::size_t* bytes);
  int (*forward)(void* handle, const void* alpha, void* x_descriptor, const void* x,
                 void* w_descriptor, const void* w, void* convolution, int algorithm,
                 void* workspace, std::size_t bytes, const void* beta, void* y_descriptor, void* y);
  int (*backward_data)(void* handle, const void* alpha, void* w_descriptor, const void* w,
                       void* dy_descriptor, const void* dy, void* convolution, int algorithm,
                       void* workspace, std::size_t bytes, const void* beta, void* dx_descriptor,
                       void* dx);
  int (*backward_filter)(void* handle, const void* alpha, void* x_descriptor, const void* x,
                         void* dy_descriptor, const void* dy, void* convolution, int algorithm,
                         void* workspace, std::size_t bytes, const void* beta, void* dw_descriptor,
                         void* dw);
  const char* (*error_text)(int status);

  const char* missing() const;
};

}  // namespace probe
