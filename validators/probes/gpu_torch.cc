// SPDX-License-Identifier: Apache-2.0
// Tensors between our memory and the GPU's by way of torch itself, and calls of its kernels.
#include "validators/probes/gpu_torch.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <dlfcn.h>
#include <unistd.h>

namespace probe {
namespace {

template <typename Function>
void find(const Library& torch, const char* name, Function*& function) {
  function = torch.function<Function>(name);
}

std::int64_t printed_so_far() { return ::lseek(STDERR_FILENO, 0, SEEK_END); }

/// What torch printed since `from`: up to 2.8 the text of an exception goes nowhere else.
std::string printed_since(std::int64_t from) {
  const std::int64_t now = printed_so_far();
  if (from < 0 || now <= from) return {};
  std::string text(static_cast<std::size_t>(std::min<std::int64_t>(now - from, 4096)), '\0');
  const ssize_t got = ::pread(STDERR_FILENO, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  constexpr std::string_view kMark = "Exception in aoti_torch: ";
  if (const std::size_t mark = text.find(kMark); mark != std::string::npos) {
    text = text.substr(mark + kMark.size());
  }
  return text.substr(0, text.find('\n'));
}

StableValue bits(double value) {
  StableValue word = 0;
  std::memcpy(&word, &value, sizeof(value));
  return word;
}

/// An optional that is there is a pointer to its value, which torch frees with `delete`: it must
/// come from the operator new of its own C++ library, not from ours.
StableValue boxed(StableValue value) {
  static auto* const allocate =
      reinterpret_cast<void* (*)(std::size_t)>(::dlsym(RTLD_DEFAULT, "_Znwm"));
  auto* const box = static_cast<StableValue*>(allocate(sizeof(StableValue)));
  *box = value;
  return reinterpret_cast<StableValue>(box);
}

/// What torch_call_dispatcher is told that its caller was built with: 2.10, the first to have it.
constexpr std::uint64_t kBuildVersion = 0x020A000000000000;

}  // namespace

GpuShim::GpuShim(const Library& torch) {
  find(torch, "aoti_torch_device_type_cuda", device_cuda);
  find(torch, "aoti_torch_empty_strided", empty_strided);
  find(torch, "aoti_torch_copy_", copy);
  find(torch, "aoti_torch_cuda__scaled_dot_product_flash_attention", flash);
  find(torch, "aoti_torch_cuda__scaled_dot_product_efficient_attention", efficient);
  find(torch, "aoti_torch_cuda__scaled_dot_product_cudnn_attention", cudnn);
}

const char* GpuShim::missing() const {
  if (device_cuda == nullptr) return "aoti_torch_device_type_cuda";
  if (empty_strided == nullptr) return "aoti_torch_empty_strided";
  if (copy == nullptr) return "aoti_torch_copy_";
  return nullptr;
}

const char* name_of(Backend backend) {
  switch (backend) {
    case Backend::flash:
      return "flash";
    case Backend::efficient:
      return "efficient";
    case Backend::cudnn:
      break;
  }
  return "cudnn";
}

const char* symbol_of(Backend backend) {
  switch (backend) {
    case Backend::flash:
      return "aoti_torch_cuda__scaled_dot_product_flash_attention";
    case Backend::efficient:
      return "aoti_torch_cuda__scaled_dot_product_efficient_attention";
    case Backend::cudnn:
      break;
  }
  return "aoti_torch_cuda__scaled_dot_product_cudnn_attention";
}

bool GpuTorch::has(Backend backend) const {
  switch (backend) {
    case Backend::flash:
      return gpu_.flash != nullptr;
    case Backend::efficient:
      return gpu_.efficient != nullptr;
    case Backend::cudnn:
      break;
  }
  return gpu_.cudnn != nullptr;
}

void GpuTorch::remove(TensorHandle tensor) const {
  if (tensor != nullptr) shim_.delete_tensor(tensor);
}

GpuAnswer GpuTorch::finish(std::int32_t rc, TensorHandle out, std::int64_t printed) const {
  GpuAnswer answer{rc, {}, out};
  if (rc == 0) return answer;
  answer.out = nullptr;
  const char* const text = shim_.exception_text != nullptr ? shim_.exception_text() : nullptr;
  answer.error = text != nullptr ? text : printed_since(printed);
  answer.error = answer.error.substr(0, answer.error.find('\n'));
  return answer;
}

GpuAnswer GpuTorch::upload(const Tensor& tensor, std::int32_t device) const {
  const std::int64_t printed = printed_so_far();
  const std::int32_t type = shim_.type_of(tensor.type());
  TensorHandle host = nullptr;
  TensorHandle made = nullptr;
  std::int32_t rc =
      shim_.create_from_blob(const_cast<std::byte*>(tensor.data()), 4, tensor.sizes().data(),
                             tensor.strides().data(), 0, type, shim_.device_cpu(), 0, &host);
  if (rc == 0) {
    rc = gpu_.empty_strided(4, tensor.sizes().data(), tensor.strides().data(), type,
                            gpu_.device_cuda(), device, &made);
  }
  if (rc == 0) rc = gpu_.copy(made, host, 0);
  GpuAnswer answer = finish(rc, made, printed);
  remove(host);
  if (rc != 0) remove(made);
  return answer;
}

GpuAnswer GpuTorch::convert(TensorHandle from, const Tensor& shape, NumberType type,
                            std::int32_t device) const {
  const std::int64_t printed = printed_so_far();
  TensorHandle made = nullptr;
  std::int32_t rc = gpu_.empty_strided(4, shape.sizes().data(), shape.strides().data(),
                                       shim_.type_of(type), gpu_.device_cuda(), device, &made);
  if (rc == 0) rc = gpu_.copy(made, from, 0);
  GpuAnswer answer = finish(rc, made, printed);
  if (rc != 0) remove(made);
  return answer;
}

std::vector<double> GpuTorch::download(TensorHandle from, NumberType type,
                                       const Tensor::Shape& sizes, std::string& error) const {
  const std::int64_t printed = printed_so_far();
  std::int64_t* seen = nullptr;
  if (shim_.get_sizes(from, &seen) != 0 || !std::equal(sizes.begin(), sizes.end(), seen)) {
    error = "the output has another shape";
    return {};
  }
  // Contiguous here, whatever the strides of the output there: copy_ goes by index.
  Tensor host = make_tensor(type, sizes, Layout::contiguous, 0);
  TensorHandle handle = nullptr;
  std::int32_t rc =
      shim_.create_from_blob(host.data(), 4, host.sizes().data(), host.strides().data(), 0,
                             shim_.type_of(type), shim_.device_cpu(), 0, &handle);
  if (rc == 0) rc = gpu_.copy(handle, from, 0);
  error = finish(rc, nullptr, printed).error;
  remove(handle);
  std::vector<double> values;
  if (rc != 0) {
    if (error.empty()) error = "the output cannot be copied";
    return values;
  }
  const std::size_t count = static_cast<std::size_t>(host.count());
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(load(type, host.data() + i * size_of(type)));
  }
  return values;
}

GpuAnswer GpuTorch::attention(Backend backend, Request request) const {
  const std::int64_t printed = printed_so_far();
  std::array<TensorHandle, 8> extra{};
  std::array<std::int64_t, 2> longest{};
  TensorHandle out = nullptr;
  TensorHandle* const bias = request.mask != nullptr ? &request.mask : nullptr;
  double* const scale = request.scaled ? &request.scale : nullptr;
  const std::int32_t causal = request.causal ? 1 : 0;
  std::int32_t rc = -1;
  switch (backend) {
    case Backend::flash:
      rc = gpu_.flash(request.q, request.k, request.v, 0.0, causal, 0, scale, &out, &extra[0],
                      &extra[1], &extra[2], &longest[0], &longest[1], &extra[3], &extra[4],
                      &extra[5]);
      break;
    case Backend::efficient:
      rc = gpu_.efficient(request.q, request.k, request.v, bias, 0, 0.0, causal, scale, &out,
                          &extra[0], &extra[1], &extra[2]);
      break;
    case Backend::cudnn:
      rc = gpu_.cudnn(request.q, request.k, request.v, bias, 0, 0.0, causal, 0, scale, &out,
                      &extra[0], &extra[1], &extra[2], &longest[0], &longest[1], &extra[3],
                      &extra[4], &extra[5]);
      break;
  }
  GpuAnswer answer = finish(rc, out, printed);
  for (TensorHandle const handle : extra) {
    if (rc == 0) remove(handle);
  }
  return answer;
}

bool GpuTorch::has_dispatcher() const {
  return shim_.new_handle != nullptr &&
         (shim_.call_dispatcher != nullptr || shim_.call_dispatcher_versioned != nullptr);
}

GpuAnswer GpuTorch::choice(const Request& request, bool grouped, std::int64_t& backend) const {
  const std::int64_t printed = printed_so_far();
  // The callee takes a handle for its own: it gets another one to the same tensor.
  const auto share = [&](TensorHandle handle) {
    TensorHandle copy = nullptr;
    shim_.new_handle(handle, &copy);
    return reinterpret_cast<StableValue>(copy);
  };
  std::array<StableValue, 8> stack{share(request.q),
                                   share(request.k),
                                   share(request.v),
                                   request.mask != nullptr ? boxed(share(request.mask)) : 0,
                                   bits(0.0),
                                   request.causal ? 1u : 0u,
                                   0,
                                   grouped ? 1u : 0u};
  constexpr const char* kOperation = "aten::_fused_sdp_choice";
  const std::int32_t rc =
      shim_.call_dispatcher_versioned != nullptr
          ? shim_.call_dispatcher_versioned(kOperation, "", stack.data(), kBuildVersion)
          : shim_.call_dispatcher(kOperation, "", stack.data());
  backend = static_cast<std::int64_t>(stack[0]);
  return finish(rc, nullptr, printed);
}

}  // namespace probe
