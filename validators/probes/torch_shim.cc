// SPDX-License-Identifier: Apache-2.0
// Finds the functions of torch's C ABI.
#include "validators/probes/torch_shim.h"

namespace probe {
namespace {

template <typename Function>
void find(const Library& torch, const char* name, Function*& function) {
  function = torch.function<Function>(name);
}

}  // namespace

TorchShim::TorchShim(const Library& torch) {
  find(torch, "aoti_torch_create_tensor_from_blob", create_from_blob);
  find(torch, "aoti_torch_delete_tensor_object", delete_tensor);
  find(torch, "aoti_torch_new_tensor_handle", new_handle);
  find(torch, "aoti_torch_get_data_ptr", get_data);
  find(torch, "aoti_torch_get_sizes", get_sizes);
  find(torch, "aoti_torch_get_strides", get_strides);
  find(torch, "aoti_torch_device_type_cpu", device_cpu);
  find(torch, "aoti_torch_dtype_float32", type_float32);
  find(torch, "aoti_torch_dtype_float64", type_float64);
  find(torch, "aoti_torch_dtype_float16", type_float16);
  find(torch, "aoti_torch_dtype_bfloat16", type_bfloat16);
  find(torch, "aoti_torch_grad_mode_set_enabled", set_grad_mode);
  find(torch, "aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu", flash_attention_cpu);
  find(torch, "aoti_torch_call_dispatcher", call_dispatcher);
  find(torch, "torch_call_dispatcher", call_dispatcher_versioned);
  find(torch, "torch_exception_get_what", exception_text);
}

const char* TorchShim::missing() const {
  if (create_from_blob == nullptr) return "aoti_torch_create_tensor_from_blob";
  if (delete_tensor == nullptr) return "aoti_torch_delete_tensor_object";
  if (get_data == nullptr) return "aoti_torch_get_data_ptr";
  if (get_sizes == nullptr) return "aoti_torch_get_sizes";
  if (get_strides == nullptr) return "aoti_torch_get_strides";
  if (device_cpu == nullptr) return "aoti_torch_device_type_cpu";
  if (type_float32 == nullptr) return "aoti_torch_dtype_float32";
  if (type_float64 == nullptr) return "aoti_torch_dtype_float64";
  if (type_float16 == nullptr) return "aoti_torch_dtype_float16";
  if (type_bfloat16 == nullptr) return "aoti_torch_dtype_bfloat16";
  if (flash_attention_cpu == nullptr) {
    return "aoti_torch_cpu__scaled_dot_product_flash_attention_for_cpu";
  }
  return nullptr;
}

std::int32_t TorchShim::type_of(NumberType type) const {
  switch (type) {
    case NumberType::float32:
      return type_float32();
    case NumberType::float64:
      return type_float64();
    case NumberType::float16:
      return type_float16();
    case NumberType::bfloat16:
      break;
  }
  return type_bfloat16();
}

}  // namespace probe
