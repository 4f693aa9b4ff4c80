// SPDX-License-Identifier: Apache-2.0
// Times one cold start on one GPU: from cuInit to the first attention of torch, in one fresh child.
//
//   gpu_coldstart [--library FILE]… [--torch FOLDER]
//
// Only one GPU is shown to the child (CUDA_VISIBLE_DEVICES), since every one costs time. Events:
// library {library, path, error, stand_in}; devices {count, visible}; sample {phase, ok, error,
// seconds}; loading {mode}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/cublas.h"
#include "validators/probes/cuda_driver.h"
#include "validators/probes/events.h"
#include "validators/probes/find_library.h"
#include "validators/probes/gpu_torch.h"

#include <cstdlib>
#include <string>

#include <dlfcn.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{150};

/// Each phase ends where the next begins.
class Phases {
 public:
  void done(const char* phase, const std::string& error = {}) {
    const std::int64_t now = monotonic_ns();
    Event("sample")
        .text("phase", phase)
        .flag("ok", error.empty())
        .text("error", error)
        .number("seconds", static_cast<double>(now - began_) / 1e9)
        .emit();
    began_ = monotonic_ns();
  }

 private:
  std::int64_t began_ = monotonic_ns();
};

std::string text_of(const CudaDriver& cuda, const CudaFailure& failure) {
  return failure.function.empty() ? "" : failure.function + ": " + cuda.name_of(failure.code);
}

/// What of CUDA_VISIBLE_DEVICES comes first; "0" where nobody set it.
std::string first_visible() {
  const char* const visible = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string all = visible != nullptr ? visible : "0";
  return all.substr(0, all.find(','));
}

std::string first_attention(const GpuTorch& torch) {
  const Tensor tensor = make_tensor(NumberType::float16, {1, 4, 128, 64}, Layout::contiguous, 1);
  GpuTorch::Request request{};
  std::string error;
  for (TensorHandle* const handle : {&request.q, &request.k, &request.v}) {
    const GpuAnswer answer = torch.upload(tensor, 0);
    if (answer.rc != 0) return "copy to the GPU: " + answer.error;
    *handle = answer.out;
  }
  // Every GPU has this one, so that figures of machines can be compared.
  const GpuAnswer answer = torch.attention(Backend::efficient, request);
  if (answer.rc != 0) return answer.error.empty() ? "attention does not run" : answer.error;
  torch.download(answer.out, NumberType::float16, tensor.sizes(), error);
  return error;
}

void run_torch(const std::string& folder, Phases& phases) {
  const Library library(folder + "/lib/libtorch.so", RTLD_NOW | RTLD_GLOBAL);
  if (!library.loaded()) return phases.done("attention", library.error());
  const TorchShim shim(library);
  const GpuShim gpu(library);
  const GpuTorch torch(shim, gpu);
  if (shim.missing() != nullptr || gpu.missing() != nullptr || !torch.has(Backend::efficient)) {
    return;  // an old torch: there is no such phase
  }
  if (shim.set_grad_mode != nullptr) shim.set_grad_mode(false);
  phases.done("attention", first_attention(torch));
}

int run(const std::string& cublas_file, const std::string& torch) {
  const std::string visible = first_visible();
  ::setenv("CUDA_VISIBLE_DEVICES", visible.c_str(), 1);
  const CudaDriver cuda = CudaDriver::open();
  if (cuda.missing() != nullptr) return 0;
  Phases phases;
  const int rc = cuda.init(0);
  phases.done("init", rc == 0 ? "" : "cuInit: " + cuda.name_of(rc));
  if (rc != 0) return 0;
  CudaFailure failure = enter_device(cuda, 0);
  phases.done("context", text_of(cuda, failure));
  if (!failure.function.empty()) return 0;
  DevicePointer memory = 0;
  const int allocated = cuda.allocate(&memory, 1 << 20);
  phases.done("allocation", allocated == 0 ? "" : "cuMemAlloc_v2: " + cuda.name_of(allocated));
  const FirstKernel kernel = run_first_kernel(cuda);
  phases.done("kernel", kernel.wrong != 0 ? "wrong numbers" : text_of(cuda, kernel.failure));
  int count = 0;
  cuda.device_count(&count);
  Event("devices").integer("count", count).text("visible", visible).emit();
  if (const std::string mode = loading_mode_of(cuda); !mode.empty()) {
    Event("loading").text("mode", mode).emit();
  }
  Phases more;
  const Cublas cublas(open_library(kCublas, cublas_file, RTLD_NOW | RTLD_LOCAL));
  if (cublas.missing() == nullptr) {
    const Product product = run_product(cuda, cublas);
    more.done("cublas", product.wrong != 0         ? "wrong numbers"
                        : product.function.empty() ? ""
                                                   : product.function + ": " + product.error);
  }
  if (!torch.empty()) run_torch(torch, more);
  return 0;
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"library", "torch"});
  start("gpu_coldstart");
  const std::string cublas = library_file(kCublas, arguments);
  const std::string torch = arguments.one("torch");
  report("cold start", run_forked([&] { return run(cublas, torch); }, kTimeout));
  probe::end();
  return 0;
}
