// SPDX-License-Identifier: Apache-2.0
// Computes attention on the first GPU with each of torch's backends by itself over a grid of cases,
// compares it with a reference in double precision, and asks what torch would choose.
//
//   gpu_sdpa --torch FOLDER
//
// Events: open {path, ok, error, stand_in, seconds}; cudnn {version}; case {backend, name, type,
// causal, mask, scale, strided, grouped, rc, error, elements, not_finite, max_error}; choice {kind,
// name, type, rc, backend, error}; missing {backend, symbol}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/attention.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/gpu_torch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{180};

struct Case {
  std::int64_t batch, heads, key_heads, queries, keys, size;
  bool causal = false;
  bool mask = false;
  bool scaled = false;
  Layout layout = Layout::contiguous;
};

/// Half types, no mask, head sizes that are multiples of 8. Each line is there for what once went
/// wrong somewhere: lengths around the kernel's blocks, few key heads, one key or one query, large
/// heads, views that are not contiguous.
constexpr std::array<Case, 13> kFlashCases{{
    {2, 4, 4, 200, 200, 64},
    {2, 4, 4, 200, 200, 64, true},
    {2, 4, 4, 192, 192, 64, false, false, true},
    {1, 8, 2, 100, 100, 64},
    {1, 8, 1, 129, 129, 128, true},
    {1, 2, 2, 129, 257, 128},
    {1, 2, 2, 1, 513, 64},
    {1, 2, 2, 7, 1, 64},
    {1, 2, 2, 191, 191, 96, true},
    {1, 1, 1, 130, 130, 192},
    {1, 1, 1, 130, 130, 256, true},
    {2, 4, 4, 100, 100, 64, true, false, false, Layout::sequence_first},
    {2, 2, 2, 77, 99, 80, false, false, false, Layout::padded},
}};

/// Masks too, and float32; no key heads that are shared.
constexpr std::array<Case, 13> kEfficientCases{{
    {2, 4, 4, 200, 200, 64},
    {2, 4, 4, 200, 200, 64, true},
    {2, 4, 4, 192, 192, 64, false, false, true},
    {1, 2, 2, 129, 257, 128},
    {1, 2, 2, 64, 192, 128, false, true},
    {2, 3, 3, 65, 129, 64, false, true},
    {1, 2, 2, 320, 320, 64, false, true, true},
    {1, 2, 2, 8, 16, 128, false, true},
    {1, 2, 2, 1, 513, 64},
    {1, 2, 2, 7, 1, 64},
    {1, 1, 1, 130, 130, 256},
    {2, 4, 4, 100, 100, 64, true, false, false, Layout::sequence_first},
    {2, 2, 2, 77, 99, 80, false, false, false, Layout::padded},
}};

/// Half types, head sizes up to 128, more than one key.
constexpr std::array<Case, 10> kCudnnCases{{
    {2, 4, 4, 200, 200, 64},
    {2, 4, 4, 200, 200, 64, true},
    {2, 4, 4, 192, 192, 64, false, false, true},
    {1, 8, 2, 256, 256, 64},
    {1, 8, 1, 320, 320, 128, true},
    {1, 2, 2, 129, 257, 128},
    {1, 2, 2, 64, 192, 128, false, true},
    {1, 2, 2, 320, 320, 64, false, true},
    {1, 2, 2, 191, 191, 96, true},
    {2, 4, 4, 256, 256, 64, true, false, false, Layout::sequence_first},
}};

std::string case_name(const Case& one, NumberType type) {
  std::string name = std::string(name_of(type)) + " b" + std::to_string(one.batch) + " h" +
                     std::to_string(one.heads);
  if (one.key_heads != one.heads) name += "/" + std::to_string(one.key_heads);
  name += " q" + std::to_string(one.queries) + " k" + std::to_string(one.keys) + " d" +
          std::to_string(one.size);
  if (one.causal) name += " causal";
  if (one.mask) name += " mask";
  if (one.scaled) name += " scale";
  if (one.layout == Layout::sequence_first) name += " sequence first";
  if (one.layout == Layout::padded) name += " padded";
  return name;
}

/// Scores are lowered or left alone, and some keys are hidden; every query sees its first key. Rows
/// start at multiples of 16 elements, as the kernels want them.
Tensor make_mask(const Case& one, NumberType type) {
  const std::int64_t row = (one.keys + 15) / 16 * 16;
  Tensor mask(type, {one.batch, one.heads, one.queries, one.keys},
              {one.heads * one.queries * row, one.queries * row, row, 1});
  mask.fill(4);
  for (std::int64_t b = 0; b < one.batch; ++b) {
    for (std::int64_t h = 0; h < one.heads; ++h) {
      for (std::int64_t i = 0; i < one.queries; ++i) {
        for (std::int64_t j = 1; j < one.keys; ++j) {
          if ((i * 7 + j * 3) % 5 == 0) mask.set(b, h, i, j, -INFINITY);
        }
      }
    }
  }
  return mask;
}

/// Inputs of a case, here.
struct Problem {
  Problem(const Case& one, NumberType type)
      : q(make(one, type, one.heads, one.queries, 1)),
        k(make(one, type, one.key_heads, one.keys, 2)),
        v(make(one, type, one.key_heads, one.keys, 3)) {
    if (one.mask) mask.push_back(make_mask(one, type));
  }
  static Tensor make(const Case& one, NumberType type, std::int64_t heads, std::int64_t length,
                     std::uint64_t seed) {
    return make_tensor(type, {one.batch, heads, length, one.size}, one.layout, seed);
  }
  std::vector<double> expected(const Case& one) const {
    AttentionOptions options{.causal = one.causal, .scale = {}, .mask = nullptr};
    if (!mask.empty()) options.mask = &mask.front();
    if (one.scaled) options.scale = kScale;
    return attention(q, k, v, options);
  }
  static constexpr double kScale = 0.2;
  Tensor q, k, v;
  std::vector<Tensor> mask;  ///< none or one
};

/// The same there.
class Uploaded {
 public:
  Uploaded(const GpuTorch& torch, const Case& one, const Problem& problem) : torch_(torch) {
    request.q = upload(problem.q);
    request.k = upload(problem.k);
    request.v = upload(problem.v);
    if (!problem.mask.empty()) request.mask = upload(problem.mask.front());
    request.causal = one.causal;
    request.scaled = one.scaled;
    request.scale = Problem::kScale;
  }
  ~Uploaded() {
    for (TensorHandle const handle : {request.q, request.k, request.v, request.mask}) {
      torch_.remove(handle);
    }
  }
  Uploaded(const Uploaded&) = delete;
  Uploaded& operator=(const Uploaded&) = delete;

  GpuTorch::Request request{};
  std::string error;  ///< empty: all is there

 private:
  TensorHandle upload(const Tensor& tensor) {
    const GpuAnswer answer = torch_.upload(tensor, 0);
    if (answer.rc != 0 && error.empty()) error = "copy to the GPU: " + answer.error;
    return answer.out;
  }
  const GpuTorch& torch_;
};

/// The name of the case in work lies in memory that outlives a crash of the child.
struct Progress {
  std::array<char, 160> name;
};

void note(Progress& progress, const std::string& name) {
  progress = {};
  std::strncpy(progress.name.data(), name.c_str(), progress.name.size() - 1);
}

void compare(Event& event, const std::vector<double>& values, const std::vector<double>& expected) {
  std::int64_t not_finite = 0;
  double worst = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      ++not_finite;
    } else {
      worst = std::max(worst, std::fabs(values[i] - expected[i]));
    }
  }
  event.integer("elements", static_cast<std::int64_t>(values.size()))
      .integer("not_finite", not_finite)
      .number("max_error", worst);
}

void run_case(const GpuTorch& torch, Backend backend, const Case& one, NumberType type) {
  const Problem problem(one, type);
  const Uploaded there(torch, one, problem);
  Event event("case");
  event.text("backend", name_of(backend))
      .text("name", case_name(one, type))
      .text("type", name_of(type))
      .flag("causal", one.causal)
      .flag("mask", one.mask)
      .flag("scale", one.scaled)
      .flag("strided", one.layout != Layout::contiguous)
      .flag("grouped", one.heads != one.key_heads);
  if (!there.error.empty()) return event.integer("rc", 1).text("error", there.error).emit();
  const GpuAnswer answer = torch.attention(backend, there.request);
  if (answer.rc != 0) return event.integer("rc", answer.rc).text("error", answer.error).emit();
  std::string error;
  const std::vector<double> values =
      torch.download(answer.out, type, {one.batch, one.heads, one.queries, one.size}, error);
  torch.remove(answer.out);
  if (values.empty()) return event.integer("rc", 1).text("error", error).emit();
  event.integer("rc", 0);
  compare(event, values, problem.expected(one));
  event.emit();
}

Library open_torch(const std::string& torch) {
  const std::string path = torch + "/lib/libtorch.so";
  const std::int64_t began = monotonic_ns();
  Library library(path, RTLD_NOW | RTLD_GLOBAL);
  Event("open")
      .text("path", path)
      .flag("ok", library.loaded())
      .text("error", library.error())
      .flag("stand_in", library.symbol("imgcheck_stand_in") != nullptr)
      .number("seconds", static_cast<double>(monotonic_ns() - began) / 1e9)
      .emit();
  return library;
}

void report_missing(const char* backend, const char* symbol) {
  Event("missing").text("backend", backend).text("symbol", symbol).emit();
}

/// The cuDNN that torch has loaded decides what it prefers.
void report_cudnn() {
  for (const char* soname : {"libcudnn.so.9", "libcudnn.so.8"}) {
    const Library cudnn(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    auto* const version = cudnn.function<std::size_t()>("cudnnGetVersion");
    if (version == nullptr) continue;
    return Event("cudnn").integer("version", static_cast<std::int64_t>(version())).emit();
  }
}

template <typename Cases>
void run_cases(const GpuTorch& torch, Backend backend, const Cases& cases,
               const std::vector<NumberType>& types, Progress& progress) {
  for (const NumberType type : types) {
    for (const Case& one : cases) {
      note(progress, std::string(name_of(backend)) + ": " + case_name(one, type));
      run_case(torch, backend, one, type);
    }
  }
}

int run_backend(Backend backend, const std::string& folder, Progress& progress) {
  note(progress, std::string(name_of(backend)) + ": loading torch");
  const Library library = open_torch(folder);
  if (!library.loaded()) return 0;
  report_cudnn();
  const TorchShim shim(library);
  const GpuShim gpu(library);
  const GpuTorch torch(shim, gpu);
  const char* const missing = shim.missing() != nullptr ? shim.missing() : gpu.missing();
  if (missing != nullptr || !torch.has(backend)) {
    report_missing(name_of(backend), missing != nullptr ? missing : symbol_of(backend));
    return 0;
  }
  if (shim.set_grad_mode != nullptr) shim.set_grad_mode(false);
  const std::vector<NumberType> half{NumberType::float16, NumberType::bfloat16};
  switch (backend) {
    case Backend::flash:
      run_cases(torch, backend, kFlashCases, half, progress);
      break;
    case Backend::efficient:
      run_cases(torch, backend, kEfficientCases,
                {NumberType::float32, NumberType::float16, NumberType::bfloat16}, progress);
      break;
    case Backend::cudnn:
      run_cases(torch, backend, kCudnnCases, half, progress);
      break;
  }
  return 0;
}

struct Question {
  const char* kind;
  NumberType type;
  Case shape;
};
constexpr std::array<Question, 7> kQuestions{{
    {"plain", NumberType::float16, {2, 8, 8, 256, 256, 64}},
    {"plain", NumberType::bfloat16, {2, 8, 8, 256, 256, 128}},
    {"causal", NumberType::float16, {2, 8, 8, 256, 256, 64, true}},
    {"causal", NumberType::bfloat16, {1, 8, 8, 200, 200, 128, true}},
    {"mask", NumberType::float16, {1, 4, 4, 256, 256, 64, false, true}},
    {"grouped", NumberType::bfloat16, {1, 8, 2, 256, 256, 128}},
    {"float32", NumberType::float32, {2, 8, 8, 256, 256, 64}},
}};

int ask_choices(const std::string& folder, Progress& progress) {
  note(progress, "choice: loading torch");
  const Library library(folder + "/lib/libtorch.so", RTLD_NOW | RTLD_GLOBAL);
  if (!library.loaded()) return 0;  // the other children have said so
  const TorchShim shim(library);
  const GpuShim gpu(library);
  const GpuTorch torch(shim, gpu);
  const char* const missing = shim.missing() != nullptr ? shim.missing() : gpu.missing();
  if (missing != nullptr || !torch.has_dispatcher()) {
    report_missing("choice", missing != nullptr ? missing : "aoti_torch_call_dispatcher");
    return 0;
  }
  if (shim.set_grad_mode != nullptr) shim.set_grad_mode(false);
  for (const Question& question : kQuestions) {
    const Case& one = question.shape;
    const std::string name = case_name(one, question.type);
    note(progress, "choice: " + name);
    const Problem problem(one, question.type);
    const Uploaded there(torch, one, problem);
    Event event("choice");
    event.text("kind", question.kind).text("name", name).text("type", name_of(question.type));
    std::int64_t backend = -1;
    GpuAnswer answer{1, there.error, nullptr};
    if (there.error.empty()) {
      answer = torch.choice(there.request, one.heads != one.key_heads, backend);
    }
    event.integer("rc", answer.rc);
    if (answer.rc == 0) {
      event.integer("backend", backend);
    } else {
      event.text("error", answer.error);
    }
    event.emit();
  }
  return 0;
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"torch"});
  start("gpu_sdpa");
  const std::string torch = arguments.one("torch");
  void* const shared =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 71;
  auto& progress = *new (shared) Progress{};
  for (const Backend backend : {Backend::flash, Backend::efficient, Backend::cudnn}) {
    const ChildEnd end =
        run_forked([&] { return run_backend(backend, torch, progress); }, kTimeout);
    report(end.good() ? name_of(backend) : progress.name.data(), end);
  }
  const ChildEnd end = run_forked([&] { return ask_choices(torch, progress); }, kTimeout);
  report(end.good() ? "choice" : progress.name.data(), end);
  probe::end();
  return 0;
}
