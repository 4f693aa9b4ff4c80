// SPDX-License-Identifier: Apache-2.0
// Finds the functions of cuDNN.
#include "validators/probes/cudnn.h"

namespace probe {
namespace {

template <typename Function>
void find(const Library& cudnn, const char* name, Function*& function) {
  function = cudnn.function<Function>(name);
}

}  // namespace

Cudnn::Cudnn(const Library& library) {
  find(library, "cudnnGetVersion", version);
  find(library, "cudnnCreate", create);
  find(library, "cudnnCreateTensorDescriptor", create_tensor);
  find(library, "cudnnSetTensor4dDescriptor", set_tensor);
  find(library, "cudnnCreateFilterDescriptor", create_filter);
  find(library, "cudnnSetFilter4dDescriptor", set_filter);
  find(library, "cudnnCreateConvolutionDescriptor", create_convolution);
  find(library, "cudnnSetConvolution2dDescriptor", set_convolution);
  find(library, "cudnnGetConvolutionForwardWorkspaceSize", forward_workspace);
  find(library, "cudnnGetConvolutionBackwardDataWorkspaceSize", data_workspace);
  find(library, "cudnnGetConvolutionBackwardFilterWorkspaceSize", filter_workspace);
  find(library, "cudnnConvolutionForward", forward);
  find(library, "cudnnConvolutionBackwardData", backward_data);
  find(library, "cudnnConvolutionBackwardFilter", backward_filter);
  find(library, "cudnnGetErrorString", error_text);
}

const char* Cudnn::missing() const {
  if (version == nullptr) return "cudnnGetVersion";
  if (create == nullptr) return "cudnnCreate";
  if (create_tensor == nullptr || set_tensor == nullptr) return "cudnnSetTensor4dDescriptor";
  if (create_filter == nullptr || set_filter == nullptr) return "cudnnSetFilter4dDescriptor";
  if (create_convolution == nullptr || set_convolution == nullptr) {
    return "cudnnSetConvolution2dDescriptor";
  }
  if (forward == nullptr || forward_workspace == nullptr) return "cudnnConvolutionForward";
  if (backward_data == nullptr || data_workspace == nullptr) return "cudnnConvolutionBackwardData";
  if (backward_filter == nullptr || filter_workspace == nullptr) {
    return "cudnnConvolutionBackwardFilter";
  }
  return error_text == nullptr ? "cudnnGetErrorString" : nullptr;
}

}  // namespace probe
