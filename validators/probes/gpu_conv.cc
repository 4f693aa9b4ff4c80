// SPDX-License-Identifier: Apache-2.0
// Runs one convolution of cuDNN on the first GPU, forward and backward, each in a child.
//
//   gpu_conv [--library FILE]… [--torch FOLDER]
//
// Events: library {library, path, error, stand_in}; conv {device, step, rc, function, error,
// elements, wrong, seconds}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/child.h"
#include "validators/probes/cuda_driver.h"
#include "validators/probes/cudnn.h"
#include "validators/probes/events.h"
#include "validators/probes/find_library.h"

#include <array>
#include <string>
#include <vector>

#include <dlfcn.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{75};

// Small whole numbers: every product and sum is exact, in TF32 too.
constexpr int kBatch = 2, kIn = 3, kOut = 5, kHeight = 9, kWidth = 7, kKernel = 3, kPad = 1;
constexpr int kPlane = kHeight * kWidth;

constexpr int kFloat = 0, kNchw = 0, kCrossCorrelation = 1;
/// IMPLICIT_GEMM forward, ALGO_1 backward: exist in every cuDNN and give the same each time.
constexpr int kForwardAlgorithm = 0, kBackwardAlgorithm = 1;

using Values = std::vector<float>;

Values small_numbers(int count, int factor) {
  Values values;
  for (int i = 0; i < count; ++i) values.push_back(static_cast<float>(i * factor % 11 - 5));
  return values;
}

struct Problem {
  Values x = small_numbers(kBatch * kIn * kPlane, 7);
  Values w = small_numbers(kOut * kIn * kKernel * kKernel, 5);
  Values dy = small_numbers(kBatch * kOut * kPlane, 3);
};

/// Calls `add(x, w, y)` with indices of every product that a convolution of these sizes is made of.
template <typename Add>
void each_product(Add&& add) {
  for (int n = 0; n < kBatch; ++n) {
    for (int o = 0; o < kOut; ++o) {
      for (int i = 0; i < kIn; ++i) {
        for (int at = 0; at < kPlane * kKernel * kKernel; ++at) {
          const int place = at / (kKernel * kKernel), tap = at % (kKernel * kKernel);
          const int row = place / kWidth + tap / kKernel - kPad;
          const int column = place % kWidth + tap % kKernel - kPad;
          if (row < 0 || row >= kHeight || column < 0 || column >= kWidth) continue;
          add(static_cast<std::size_t>((n * kIn + i) * kPlane + row * kWidth + column),
              static_cast<std::size_t>((o * kIn + i) * kKernel * kKernel + tap),
              static_cast<std::size_t>((n * kOut + o) * kPlane + place));
        }
      }
    }
  }
}

enum class Step { forward, backward_data, backward_filter };

const char* name_of(Step step) {
  if (step == Step::forward) return "forward";
  return step == Step::backward_data ? "backward data" : "backward filter";
}

Values expected_of(Step step, const Problem& problem) {
  Values result;
  if (step == Step::forward) {
    result.resize(problem.dy.size());
    each_product([&](auto x, auto w, auto y) { result[y] += problem.x[x] * problem.w[w]; });
  } else if (step == Step::backward_data) {
    result.resize(problem.x.size());
    each_product([&](auto x, auto w, auto y) { result[x] += problem.dy[y] * problem.w[w]; });
  } else {
    result.resize(problem.w.size());
    each_product([&](auto x, auto w, auto y) { result[w] += problem.dy[y] * problem.x[x]; });
  }
  return result;
}

/// One run of one step; the first call that fails ends it.
class Convolution {
 public:
  Convolution(const CudaDriver& cuda, const Cudnn& cudnn) : cuda_(cuda), cudnn_(cudnn) {}

  Values run(Step step, const Problem& problem) {
    describe();
    Values result(expected_of(step, problem).size());
    const bool forward = step == Step::forward;
    const Values& left = step == Step::backward_data ? problem.w : problem.x;
    const Values& right = forward ? problem.w : problem.dy;
    void* const a = upload(left);
    void* const b = upload(right);
    void* const out = upload(result);
    std::size_t bytes = 0;
    if (good()) {
      if (forward) {
        ask("cudnnGetConvolutionForwardWorkspaceSize",
            cudnn_.forward_workspace(handle_, x_, w_, convolution_, y_, kForwardAlgorithm, &bytes));
      } else if (step == Step::backward_data) {
        ask("cudnnGetConvolutionBackwardDataWorkspaceSize",
            cudnn_.data_workspace(handle_, w_, y_, convolution_, x_, kBackwardAlgorithm, &bytes));
      } else {
        ask("cudnnGetConvolutionBackwardFilterWorkspaceSize",
            cudnn_.filter_workspace(handle_, x_, y_, convolution_, w_, kBackwardAlgorithm, &bytes));
      }
    }
    void* const workspace = bytes > 0 ? allocate(bytes) : nullptr;
    const float one = 1, zero = 0;
    if (good()) {
      if (forward) {
        ask("cudnnConvolutionForward",
            cudnn_.forward(handle_, &one, x_, a, w_, b, convolution_, kForwardAlgorithm, workspace,
                           bytes, &zero, y_, out));
      } else if (step == Step::backward_data) {
        ask("cudnnConvolutionBackwardData",
            cudnn_.backward_data(handle_, &one, w_, a, y_, b, convolution_, kBackwardAlgorithm,
                                 workspace, bytes, &zero, x_, out));
      } else {
        ask("cudnnConvolutionBackwardFilter",
            cudnn_.backward_filter(handle_, &one, x_, a, y_, b, convolution_, kBackwardAlgorithm,
                                   workspace, bytes, &zero, w_, out));
      }
    }
    if (good()) check("cuCtxSynchronize", cuda_.synchronize());
    if (good()) {
      check("cuMemcpyDtoH_v2", cuda_.copy_out(result.data(), reinterpret_cast<DevicePointer>(out),
                                              result.size() * sizeof(float)));
    }
    return result;
  }

  bool good() const { return rc_ == 0; }
  int rc() const { return rc_; }
  const std::string& function() const { return function_; }
  const std::string& error() const { return error_; }

 private:
  void describe() {
    ask("cudnnCreate", cudnn_.create(&handle_));
    ask("cudnnCreateTensorDescriptor", cudnn_.create_tensor(&x_));
    ask("cudnnCreateTensorDescriptor", cudnn_.create_tensor(&y_));
    ask("cudnnCreateFilterDescriptor", cudnn_.create_filter(&w_));
    ask("cudnnCreateConvolutionDescriptor", cudnn_.create_convolution(&convolution_));
    if (!good()) return;
    ask("cudnnSetTensor4dDescriptor",
        cudnn_.set_tensor(x_, kNchw, kFloat, kBatch, kIn, kHeight, kWidth));
    ask("cudnnSetTensor4dDescriptor",
        cudnn_.set_tensor(y_, kNchw, kFloat, kBatch, kOut, kHeight, kWidth));
    ask("cudnnSetFilter4dDescriptor",
        cudnn_.set_filter(w_, kFloat, kNchw, kOut, kIn, kKernel, kKernel));
    ask("cudnnSetConvolution2dDescriptor",
        cudnn_.set_convolution(convolution_, kPad, kPad, 1, 1, 1, 1, kCrossCorrelation, kFloat));
  }

  void* allocate(std::size_t bytes) {
    DevicePointer memory = 0;
    if (good()) check("cuMemAlloc_v2", cuda_.allocate(&memory, bytes));
    return reinterpret_cast<void*>(memory);
  }

  void* upload(const Values& values) {
    void* const memory = allocate(values.size() * sizeof(float));
    if (good()) {
      check("cuMemcpyHtoD_v2", cuda_.copy_in(reinterpret_cast<DevicePointer>(memory), values.data(),
                                             values.size() * sizeof(float)));
    }
    return memory;
  }

  void note(const char* function, int rc, const std::string& error) {
    if (rc == 0 || rc_ != 0) return;
    rc_ = rc;
    function_ = function;
    error_ = error;
  }
  void ask(const char* function, int rc) { note(function, rc, cudnn_.error_text(rc)); }
  void check(const char* function, int rc) { note(function, rc, cuda_.name_of(rc)); }

  const CudaDriver& cuda_;
  const Cudnn& cudnn_;
  void *handle_ = nullptr, *x_ = nullptr, *y_ = nullptr, *w_ = nullptr, *convolution_ = nullptr;
  int rc_ = 0;
  std::string function_, error_;
};

Event conv_event(Step step) {
  Event event("conv");
  event.integer("device", 0).text("step", name_of(step));
  return event;
}

int run_step(Step step, const std::string& file) {
  const std::int64_t began = monotonic_ns();
  const CudaDriver cuda(Library("libcuda.so.1", RTLD_NOW | RTLD_LOCAL));
  const Library library = open_library(kCudnn, file, RTLD_NOW | RTLD_LOCAL);
  const Cudnn cudnn(library);
  if (!library.loaded()) return 0;
  if (const char* const missing = cudnn.missing()) {
    conv_event(step)
        .integer("rc", -1)
        .text("function", missing)
        .text("error", "there is no such function")
        .emit();
    return 0;
  }
  if (const CudaFailure failure = enter_device(cuda, 0); !failure.function.empty()) {
    conv_event(step)
        .integer("rc", failure.code)
        .text("function", failure.function)
        .text("error", cuda.name_of(failure.code))
        .emit();
    return 0;
  }
  const Problem problem;
  Convolution convolution(cuda, cudnn);
  const Values result = convolution.run(step, problem);
  const Values expected = expected_of(step, problem);
  std::int64_t wrong = 0;
  for (std::size_t i = 0; i < result.size(); ++i) wrong += result[i] != expected[i] ? 1 : 0;
  Event event = conv_event(step);
  event.integer("rc", convolution.rc());
  if (!convolution.good()) {
    event.text("function", convolution.function()).text("error", convolution.error());
  }
  event.integer("elements", static_cast<std::int64_t>(result.size()))
      .integer("wrong", wrong)
      .number("seconds", static_cast<double>(monotonic_ns() - began) / 1e9)
      .emit();
  return 0;
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"library", "torch"});
  start("gpu_conv");
  const std::string file = library_file(kCudnn, arguments);
  for (const Step step : {Step::forward, Step::backward_data, Step::backward_filter}) {
    report(name_of(step), run_forked([&] { return run_step(step, file); }, kTimeout));
  }
  probe::end();
  return 0;
}
