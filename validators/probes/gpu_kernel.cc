// SPDX-License-Identifier: Apache-2.0
// Runs a first kernel on each GPU in three ways, each in a child: from PTX, of cuBLAS, of torch.
//
//   gpu_kernel [--library FILE]… [--torch FOLDER]
//
// Events: library {library, path, error, stand_in}; kernel {device, step, rc, function, error,
// elements, wrong, seconds}; missing {step, symbol, consequence}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/cublas.h"
#include "validators/probes/cuda_driver.h"
#include "validators/probes/events.h"
#include "validators/probes/find_library.h"
#include "validators/probes/gpu_torch.h"

#include <algorithm>
#include <string>
#include <vector>

#include <dlfcn.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{120};

struct Outcome {
  std::string function;  ///< that failed; empty: none
  int rc = 0;
  std::string error;
  std::int64_t elements = 0, wrong = 0;
};

void report_kernel(int device, const char* step, const Outcome& outcome, std::int64_t began) {
  Event event("kernel");
  event.integer("device", device).text("step", step).integer("rc", outcome.rc);
  if (outcome.rc != 0) event.text("function", outcome.function).text("error", outcome.error);
  event.integer("elements", outcome.elements)
      .integer("wrong", outcome.wrong)
      .number("seconds", static_cast<double>(monotonic_ns() - began) / 1e9)
      .emit();
}

Outcome failed(const CudaDriver& cuda, const CudaFailure& failure, const std::string& log = {}) {
  return {failure.function, failure.code,
          cuda.name_of(failure.code) + (log.empty() ? "" : ": " + log)};
}

int run_ptx(int device) {
  const std::int64_t began = monotonic_ns();
  const CudaDriver cuda = CudaDriver::open();
  if (cuda.missing() != nullptr) return 0;
  CudaFailure failure = enter_device(cuda, device);
  if (!failure.function.empty()) {
    report_kernel(device, "ptx", failed(cuda, failure), began);
    return 0;
  }
  const FirstKernel kernel = run_first_kernel(cuda);
  Outcome outcome;
  if (!kernel.failure.function.empty()) {
    outcome = failed(cuda, kernel.failure, kernel.log);
  } else {
    outcome.elements = kernel.elements;
    outcome.wrong = kernel.wrong;
  }
  report_kernel(device, "ptx", outcome, began);
  return 0;
}

int run_cublas(int device, const std::string& file) {
  const std::int64_t began = monotonic_ns();
  const CudaDriver cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  const Library library = open_library(kCublas, file, RTLD_NOW | RTLD_LOCAL);
  const Cublas cublas(library);
  if (cublas.missing() != nullptr) {
    Event("missing")
        .text("step", "cublas")
        .text("symbol", library.loaded() ? cublas.missing() : library.error())
        .text("consequence", "a product of cuBLAS")
        .emit();
    return 0;
  }
  if (const CudaFailure failure = enter_device(cuda, device); !failure.function.empty()) {
    report_kernel(device, "cublas", failed(cuda, failure), began);
    return 0;
  }
  const Product product = run_product(cuda, cublas);
  report_kernel(device, "cublas",
                {product.function, product.rc, product.error, product.elements, product.wrong},
                began);
  return 0;
}

/// Small whole numbers, copied there, made float64 by a kernel of torch, and copied back.
Outcome convert(const GpuTorch& torch, int device) {
  Tensor numbers = make_tensor(NumberType::float32, {3, 5, 7, 11}, Layout::contiguous, 0);
  const auto value_at = [](std::int64_t index) { return static_cast<double>(index * 37 % 1000); };
  const auto [batch, heads, rows, size] = numbers.sizes();
  std::int64_t index = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      for (std::int64_t s = 0; s < rows; ++s) {
        for (std::int64_t d = 0; d < size; ++d) numbers.set(b, h, s, d, value_at(index++));
      }
    }
  }
  const GpuAnswer there = torch.upload(numbers, device);
  if (there.rc != 0) return {"copy to the GPU", there.rc, there.error};
  const GpuAnswer doubled = torch.convert(there.out, numbers, NumberType::float64, device);
  if (doubled.rc != 0) return {"conversion on the GPU", doubled.rc, doubled.error};
  std::string error;
  const std::vector<double> back =
      torch.download(doubled.out, NumberType::float64, numbers.sizes(), error);
  if (back.empty()) return {"copy from the GPU", 1, error};
  Outcome outcome;
  for (std::size_t i = 0; i < back.size(); ++i) {
    ++outcome.elements;
    if (back[i] != value_at(static_cast<std::int64_t>(i))) ++outcome.wrong;
  }
  return outcome;
}

int run_torch(int device, const std::string& folder) {
  const std::int64_t began = monotonic_ns();
  const std::string path = folder + "/lib/libtorch.so";
  const Library library(path, RTLD_NOW | RTLD_GLOBAL);
  Event("library")
      .text("library", "torch")
      .text("path", path)
      .text("error", library.error())
      .flag("stand_in", library.symbol("imgcheck_stand_in") != nullptr)
      .emit();
  if (!library.loaded()) {
    report_kernel(device, "torch", {"dlopen", 1, library.error()}, began);
    return 0;
  }
  const TorchShim shim(library);
  const GpuShim gpu(library);
  const char* const missing = shim.missing() != nullptr ? shim.missing() : gpu.missing();
  if (missing != nullptr) {
    Event("missing")
        .text("step", "torch")
        .text("symbol", missing)
        .text("consequence", "a kernel of torch")
        .emit();
    return 0;
  }
  report_kernel(device, "torch", convert(GpuTorch(shim, gpu), device), began);
  return 0;
}

int count_devices() {
  const CudaDriver cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  int count = 0;
  if (cuda.missing() != nullptr || cuda.init(0) != 0 || cuda.device_count(&count) != 0) return 0;
  return std::clamp(count, 0, 64);
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"library", "torch"});
  start("gpu_kernel");
  const std::string cublas = library_file(kCublas, arguments);
  const std::string torch = arguments.one("torch");
  // The parent never touches CUDA: a context does not survive a fork.
  const ChildEnd counted = run_forked(count_devices, kTimeout);
  const int devices = counted.kind == ChildEnd::Kind::exited ? counted.code : 0;
  if (counted.kind != ChildEnd::Kind::exited) report("counting the GPUs", counted);
  for (int device = 0; device < devices; ++device) {
    const std::string where = " on GPU " + std::to_string(device);
    report("ptx" + where, run_forked([&] { return run_ptx(device); }, kTimeout));
    report("cublas" + where, run_forked([&] { return run_cublas(device, cublas); }, kTimeout));
    if (torch.empty()) {
      Event("missing")
          .text("step", "torch")
          .text("symbol", "")
          .text("consequence", "a kernel of torch, which is not in the image")
          .emit();
    } else {
      report("torch" + where, run_forked([&] { return run_torch(device, torch); }, kTimeout));
    }
  }
  probe::end();
  return 0;
}
