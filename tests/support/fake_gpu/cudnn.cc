// SPDX-License-Identifier: Apache-2.0
// A stand-in for libcudnn.so.9, which opens a sub-library by its bare soname at the first use, as
// cuDNN does. Faults: conv-abort, conv-hang, conv-wrong.
#include "tests/support/fake_gpu/fake.h"

#include <cstdio>
#include <vector>

#include <dlfcn.h>

namespace {

struct Descriptor {
  int n = 0, c = 0, h = 0, w = 0;
  int pad_h = 0, pad_w = 0;
};

/// Calls `add` with the offsets of every product.
template <typename Add>
void each(const Descriptor& x, const Descriptor& w, const Descriptor& y, const Descriptor& p,
          Add&& add) {
  for (int n = 0; n < y.n; ++n)
    for (int o = 0; o < y.c; ++o)
      for (int oh = 0; oh < y.h; ++oh)
        for (int ow = 0; ow < y.w; ++ow)
          for (int i = 0; i < x.c; ++i)
            for (int kh = 0; kh < w.h; ++kh)
              for (int kw = 0; kw < w.w; ++kw) {
                const int ih = oh + kh - p.pad_h, iw = ow + kw - p.pad_w;
                if (ih < 0 || ih >= x.h || iw < 0 || iw >= x.w) continue;
                add(((n * x.c + i) * x.h + ih) * x.w + iw, ((o * x.c + i) * w.h + kh) * w.w + kw,
                    ((n * y.c + o) * y.h + oh) * y.w + ow);
              }
}

int count(const Descriptor& d) { return d.n * d.c * d.h * d.w; }

/// What cuDNN says, or dies of, when one of its parts is not to be had.
int use_part() {
  fake::misbehave("conv");
  if (::dlopen("libcudnn_cnn.so.9", RTLD_NOW) != nullptr) return 0;
  std::fprintf(stderr,
               "Could not load library libcudnn_cnn.so.9. Error: cannot open shared object file\n");
  return 1008;
}

const Descriptor& of(void* descriptor) { return *static_cast<Descriptor*>(descriptor); }

}  // namespace

extern "C" {

std::size_t cudnnGetVersion() {
  return static_cast<std::size_t>(fake::number("FAKE_CUDNN_VERSION", 91002));
}
int cudnnCreate(void** handle) {
  *handle = new int(9);
  return 0;
}
int cudnnCreateTensorDescriptor(void** descriptor) {
  *descriptor = new Descriptor;
  return 0;
}
int cudnnCreateFilterDescriptor(void** descriptor) {
  *descriptor = new Descriptor;
  return 0;
}
int cudnnCreateConvolutionDescriptor(void** descriptor) {
  *descriptor = new Descriptor;
  return 0;
}
int cudnnSetTensor4dDescriptor(void* descriptor, int format, int type, int n, int c, int h, int w) {
  if (format != 0 || type != 0) return 3000;
  *static_cast<Descriptor*>(descriptor) = {n, c, h, w, 0, 0};
  return 0;
}
int cudnnSetFilter4dDescriptor(void* descriptor, int type, int format, int k, int c, int h, int w) {
  if (format != 0 || type != 0) return 3000;
  *static_cast<Descriptor*>(descriptor) = {k, c, h, w, 0, 0};
  return 0;
}
int cudnnSetConvolution2dDescriptor(void* descriptor, int pad_h, int pad_w, int stride_h,
                                    int stride_w, int dilation_h, int dilation_w, int mode,
                                    int type) {
  if (stride_h != 1 || stride_w != 1 || dilation_h != 1 || dilation_w != 1 || mode != 1 ||
      type != 0) {
    return 3000;
  }
  auto* const made = static_cast<Descriptor*>(descriptor);
  made->pad_h = pad_h;
  made->pad_w = pad_w;
  return 0;
}
int cudnnGetConvolutionForwardWorkspaceSize(void*, void*, void*, void*, void*, int,
                                            std::size_t* bytes) {
  *bytes = 4096;
  return 0;
}
int cudnnGetConvolutionBackwardDataWorkspaceSize(void*, void*, void*, void*, void*, int,
                                                 std::size_t* bytes) {
  *bytes = 0;
  return 0;
}
int cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, void*, void*, void*, void*, int,
                                                   std::size_t* bytes) {
  *bytes = 128;
  return 0;
}
int cudnnConvolutionForward(void*, const void*, void* dx, const void* x, void* dw, const void* w,
                            void* p, int, void*, std::size_t, const void*, void* dy, void* y) {
  if (const int rc = use_part(); rc != 0) return rc;
  std::vector<float> out(static_cast<std::size_t>(count(of(dy))));
  each(of(dx), of(dw), of(dy), of(p), [&](int i, int j, int k) {
    out[static_cast<std::size_t>(k)] +=
        static_cast<const float*>(x)[i] * static_cast<const float*>(w)[j];
  });
  if (fake::has_fault("conv-wrong")) out[3] += 1;
  std::memcpy(y, out.data(), out.size() * sizeof(float));
  return 0;
}
int cudnnConvolutionBackwardData(void*, const void*, void* dw, const void* w, void* dy,
                                 const void* y, void* p, int, void*, std::size_t, const void*,
                                 void* dx, void* x) {
  if (const int rc = use_part(); rc != 0) return rc;
  std::vector<float> out(static_cast<std::size_t>(count(of(dx))));
  each(of(dx), of(dw), of(dy), of(p), [&](int i, int j, int k) {
    out[static_cast<std::size_t>(i)] +=
        static_cast<const float*>(y)[k] * static_cast<const float*>(w)[j];
  });
  std::memcpy(x, out.data(), out.size() * sizeof(float));
  return 0;
}
int cudnnConvolutionBackwardFilter(void*, const void*, void* dx, const void* x, void* dy,
                                   const void* y, void* p, int, void*, std::size_t, const void*,
                                   void* dw, void* w) {
  if (const int rc = use_part(); rc != 0) return rc;
  std::vector<float> out(static_cast<std::size_t>(count(of(dw))));
  each(of(dx), of(dw), of(dy), of(p), [&](int i, int j, int k) {
    out[static_cast<std::size_t>(j)] +=
        static_cast<const float*>(x)[i] * static_cast<const float*>(y)[k];
  });
  std::memcpy(w, out.data(), out.size() * sizeof(float));
  return 0;
}
const char* cudnnGetErrorString(int status) {
  if (status == 1008) return "CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED";
  return status == 0 ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS_NOT_SUPPORTED";
}

}  // extern "C"
