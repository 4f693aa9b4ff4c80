// SPDX-License-Identifier: Apache-2.0
// Computes attention with torch's own CPU kernels over a grid of cases and compares it with a
// reference in double precision.
//
//   sdpa --torch FOLDER
//
// Events: open {path, ok, error, seconds}; case {name, route, type, causal, mask, scale, strided,
// rc, error, elements, not_finite, max_error, out_strides}; choice {name, rc, backend}; missing
// {symbol, consequence}; child.
#include "validators/probes/arguments.h"
#include "validators/probes/attention.h"
#include "validators/probes/child.h"
#include "validators/probes/events.h"
#include "validators/probes/torch_shim.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace probe {
namespace {

constexpr std::chrono::seconds kTimeout{100};
/// What torch_call_dispatcher is told that its caller was built with: 2.10, the first to have it.
constexpr std::uint64_t kBuildVersion = 0x020A000000000000;

enum class Mask { none, whole, one_for_all };

struct Case {
  std::int64_t batch, heads, key_heads, queries, keys, size;
  bool causal = false;
  Mask mask = Mask::none;
  bool scaled = false;
  Layout layout = Layout::contiguous;
};

/// Each line is there for what once went wrong somewhere: lengths around the kernel's blocks, odd
/// and large head sizes, one key only, more keys than queries, views that are not contiguous.
constexpr std::array<Case, 18> kFlashCases{{
    {2, 4, 4, 200, 200, 64},
    {2, 4, 4, 200, 200, 64, true},
    {2, 4, 4, 200, 200, 64, false, Mask::none, true},
    {2, 4, 4, 200, 200, 64, true, Mask::none, true},
    {1, 2, 2, 64, 192, 128, false, Mask::whole},
    {2, 3, 3, 65, 129, 64, false, Mask::one_for_all},
    {1, 2, 2, 65, 65, 64, false, Mask::whole, true},
    {1, 1, 1, 1, 1, 8},
    {1, 2, 2, 7, 1, 64},
    {1, 2, 2, 1, 513, 64},
    {1, 2, 2, 33, 31, 33},
    {1, 2, 2, 100, 100, 96, true},
    {1, 1, 1, 130, 130, 192},
    {1, 1, 1, 130, 130, 256, true},
    {2, 4, 4, 100, 100, 64, false, Mask::none, false, Layout::sequence_first},
    {2, 4, 4, 100, 100, 64, true, Mask::none, false, Layout::sequence_first},
    {2, 2, 2, 77, 99, 80, false, Mask::none, false, Layout::padded},
    {1, 2, 2, 63, 65, 40, false, Mask::whole, false, Layout::padded},
}};

/// For the public operation: the same, and what the flash kernel alone cannot take.
constexpr std::array<Case, 6> kDispatchedCases{{
    {2, 4, 4, 200, 200, 64},
    {2, 4, 4, 200, 200, 64, true},
    {1, 2, 2, 65, 129, 64, false, Mask::whole, true},
    {1, 8, 2, 100, 100, 64},  // query heads share key heads
    {1, 6, 2, 65, 65, 64, true},
    {1, 2, 2, 63, 65, 64, false, Mask::none, false, Layout::every_other},
}};

std::string case_name(const Case& one, NumberType type) {
  std::string name = std::string(name_of(type)) + " b" + std::to_string(one.batch) + " h" +
                     std::to_string(one.heads);
  if (one.key_heads != one.heads) name += "/" + std::to_string(one.key_heads);
  name += " q" + std::to_string(one.queries) + " k" + std::to_string(one.keys) + " d" +
          std::to_string(one.size);
  if (one.causal) name += " causal";
  if (one.mask == Mask::whole) name += " mask";
  if (one.mask == Mask::one_for_all) name += " shared mask";
  if (one.scaled) name += " scale";
  if (one.layout == Layout::sequence_first) name += " sequence first";
  if (one.layout == Layout::padded) name += " padded";
  if (one.layout == Layout::every_other) name += " last stride 2";
  return name;
}

/// Inputs of a case and what should come out.
struct Problem {
  Tensor q, k, v;
  std::vector<Tensor> mask;  ///< none or one
  double scale = 0;
  std::vector<double> expected;
};

/// Scores are lowered or left alone, and some keys are hidden; every query sees its first key.
Tensor make_mask(const Case& one, NumberType type) {
  const std::int64_t batch = one.mask == Mask::one_for_all ? 1 : one.batch;
  const std::int64_t heads = one.mask == Mask::one_for_all ? 1 : one.heads;
  Tensor mask = make_tensor(type, {batch, heads, one.queries, one.keys}, Layout::contiguous, 4);
  for (std::int64_t i = 0; i < one.queries; ++i) {
    for (std::int64_t j = 1; j < one.keys; ++j) {
      if ((i * 7 + j * 3) % 5 != 0) continue;
      for (std::int64_t b = 0; b < batch; ++b) {
        for (std::int64_t h = 0; h < heads; ++h) mask.set(b, h, i, j, -INFINITY);
      }
    }
  }
  return mask;
}

Problem make_problem(const Case& one, NumberType type) {
  const auto tensor = [&](std::int64_t heads, std::int64_t length, std::uint64_t seed) {
    return make_tensor(type, {one.batch, heads, length, one.size}, one.layout, seed);
  };
  Problem problem{tensor(one.heads, one.queries, 1),
                  tensor(one.key_heads, one.keys, 2),
                  tensor(one.key_heads, one.keys, 3),
                  {},
                  0,
                  {}};
  if (one.mask != Mask::none) problem.mask.push_back(make_mask(one, type));
  AttentionOptions options{.causal = one.causal, .scale = {}, .mask = nullptr};
  if (!problem.mask.empty()) options.mask = &problem.mask.front();
  problem.scale = 0.2;
  if (one.scaled) options.scale = problem.scale;
  problem.expected = attention(problem.q, problem.k, problem.v, options);
  return problem;
}

/// torch's handles of one problem.
class Handles {
 public:
  Handles(const TorchShim& shim, Problem& problem) : shim_(shim) {
    q = make(problem.q);
    k = make(problem.k);
    v = make(problem.v);
    if (!problem.mask.empty()) mask = make(problem.mask.front());
  }
  ~Handles() {
    for (TensorHandle const handle : {q, k, v, mask}) {
      if (handle != nullptr) shim_.delete_tensor(handle);
    }
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;

  bool good() const { return !failed_; }

  TensorHandle q = nullptr, k = nullptr, v = nullptr, mask = nullptr;

 private:
  TensorHandle make(Tensor& tensor) {
    TensorHandle handle = nullptr;
    const std::int32_t rc =
        shim_.create_from_blob(tensor.data(), 4, tensor.sizes().data(), tensor.strides().data(), 0,
                               shim_.type_of(tensor.type()), shim_.device_cpu(), 0, &handle);
    if (rc != 0) failed_ = true;
    return rc == 0 ? handle : nullptr;
  }

  const TorchShim& shim_;
  bool failed_ = false;
};

/// What torch printed since `from`: up to 2.8 the text of an exception goes nowhere else.
std::string printed_since(off_t from) {
  const off_t now = ::lseek(STDERR_FILENO, 0, SEEK_END);
  if (now <= from) return {};
  std::string text(static_cast<std::size_t>(std::min<off_t>(now - from, 4096)), '\0');
  const ssize_t got = ::pread(STDERR_FILENO, text.data(), text.size(), from);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  constexpr std::string_view kMark = "Exception in aoti_torch: ";
  if (const std::size_t mark = text.find(kMark); mark != std::string::npos) {
    text = text.substr(mark + kMark.size());
  }
  return text.substr(0, text.find('\n'));
}

/// Result of one operation.
struct Answer {
  std::int32_t rc = -1;
  std::string error;
  TensorHandle out = nullptr;
};

class Torch {
 public:
  explicit Torch(const TorchShim& shim) : shim_(shim) {}

  Answer flash(const Handles& handles, const Case& one, double scale) const {
    const off_t before = ::lseek(STDERR_FILENO, 0, SEEK_END);
    TensorHandle mask = handles.mask;
    TensorHandle log_sum = nullptr;
    Answer answer;
    answer.rc = shim_.flash_attention_cpu(handles.q, handles.k, handles.v, 0.0, one.causal ? 1 : 0,
                                          mask != nullptr ? &mask : nullptr,
                                          one.scaled ? &scale : nullptr, &answer.out, &log_sum);
    if (answer.rc == 0 && log_sum != nullptr) shim_.delete_tensor(log_sum);
    finish(answer, before);
    return answer;
  }

  /// aten::scaled_dot_product_attention or aten::_fused_sdp_choice: both take the same eight
  /// arguments. `result`: the first value that comes back.
  Answer dispatched(const char* operation, const Handles& handles, const Case& one, double scale,
                    StableValue& result) const {
    const off_t before = ::lseek(STDERR_FILENO, 0, SEEK_END);
    const double dropout = 0;
    std::array<StableValue, 8> stack{share(handles.q),
                                     share(handles.k),
                                     share(handles.v),
                                     handles.mask != nullptr ? boxed(share(handles.mask)) : 0,
                                     bits(dropout),
                                     one.causal ? 1u : 0u,
                                     one.scaled ? boxed(bits(scale)) : 0,
                                     one.heads != one.key_heads ? 1u : 0u};
    Answer answer;
    answer.rc = shim_.call_dispatcher_versioned != nullptr
                    ? shim_.call_dispatcher_versioned(operation, "", stack.data(), kBuildVersion)
                    : shim_.call_dispatcher(operation, "", stack.data());
    result = stack[0];
    finish(answer, before);
    return answer;
  }

 private:
  void finish(Answer& answer, off_t before) const {
    if (answer.rc == 0) return;
    answer.out = nullptr;
    const char* const text = shim_.exception_text != nullptr ? shim_.exception_text() : nullptr;
    answer.error = text != nullptr ? text : printed_since(before);
    answer.error = answer.error.substr(0, answer.error.find('\n'));
  }

  /// The callee takes a handle for its own: it gets another one to the same tensor.
  StableValue share(TensorHandle handle) const {
    TensorHandle copy = nullptr;
    shim_.new_handle(handle, &copy);
    return reinterpret_cast<StableValue>(copy);
  }
  static StableValue bits(double value) {
    StableValue word = 0;
    std::memcpy(&word, &value, sizeof(value));
    return word;
  }
  /// An optional that is there is a pointer to its value, which torch frees with `delete`: it must
  /// come from the operator new of its own C++ library, not from ours.
  static StableValue boxed(StableValue value) {
    static auto* const allocate =
        reinterpret_cast<void* (*)(std::size_t)>(::dlsym(RTLD_DEFAULT, "_Znwm"));
    auto* const box = static_cast<StableValue*>(allocate(sizeof(StableValue)));
    *box = value;
    return reinterpret_cast<StableValue>(box);
  }

  const TorchShim& shim_;
};

struct Comparison {
  std::int64_t elements = 0, not_finite = 0;
  double max_error = 0;
  std::string strides;
};

/// Reads the output where its strides say it is: they differ between versions of torch.
Comparison compare(const TorchShim& shim, TensorHandle out, NumberType type,
                   const Tensor::Shape& shape, const std::vector<double>& expected) {
  Comparison result;
  void* data = nullptr;
  std::int64_t* sizes = nullptr;
  std::int64_t* strides = nullptr;
  if (shim.get_data(out, &data) != 0 || shim.get_sizes(out, &sizes) != 0 ||
      shim.get_strides(out, &strides) != 0 || data == nullptr) {
    return result;
  }
  if (!std::equal(shape.begin(), shape.end(), sizes)) return result;
  for (std::size_t i = 0; i < 4; ++i) {
    result.strides += (i == 0 ? "" : ",") + std::to_string(strides[i]);
  }
  const auto* const bytes = static_cast<const std::byte*>(data);
  std::size_t at = 0;
  for (std::int64_t b = 0; b < shape[0]; ++b) {
    for (std::int64_t h = 0; h < shape[1]; ++h) {
      for (std::int64_t s = 0; s < shape[2]; ++s) {
        for (std::int64_t d = 0; d < shape[3]; ++d) {
          const std::int64_t offset =
              b * strides[0] + h * strides[1] + s * strides[2] + d * strides[3];
          const double value =
              load(type, bytes + offset * static_cast<std::int64_t>(size_of(type)));
          ++result.elements;
          if (!std::isfinite(value)) {
            ++result.not_finite;
          } else {
            result.max_error = std::max(result.max_error, std::fabs(value - expected[at]));
          }
          ++at;
        }
      }
    }
  }
  return result;
}

constexpr const char* kLoading = "loading libtorch_cpu.so";

/// The name of the case in work lies in memory that outlives a crash of the child.
struct Progress {
  std::array<char, 128> name;
};

void note(Progress& progress, const std::string& name) {
  std::strncpy(progress.name.data(), name.c_str(), progress.name.size() - 1);
}

Event case_event(const Case& one, NumberType type, const char* route) {
  Event event("case");
  event.text("name", case_name(one, type))
      .text("route", route)
      .text("type", name_of(type))
      .flag("causal", one.causal)
      .flag("mask", one.mask != Mask::none)
      .flag("scale", one.scaled)
      .flag("strided", one.layout != Layout::contiguous);
  return event;
}

void report_case(const TorchShim& shim, const Case& one, NumberType type, const char* route,
                 const Answer& answer, const Problem& problem) {
  Event event = case_event(one, type, route);
  event.integer("rc", answer.rc);
  if (answer.rc != 0 || answer.out == nullptr) return event.text("error", answer.error).emit();
  const Comparison seen = compare(shim, answer.out, type,
                                  {one.batch, one.heads, one.queries, one.size}, problem.expected);
  event.integer("elements", seen.elements)
      .integer("not_finite", seen.not_finite)
      .number("max_error", seen.max_error)
      .text("out_strides", seen.strides)
      .emit();
  shim.delete_tensor(answer.out);
}

void run_flash_case(const TorchShim& shim, const Case& one, NumberType type) {
  Problem problem = make_problem(one, type);
  const Handles handles(shim, problem);
  if (!handles.good()) {
    return case_event(one, type, "flash").integer("rc", 1).text("error", "no tensor").emit();
  }
  report_case(shim, one, type, "flash", Torch(shim).flash(handles, one, problem.scale), problem);
}

void run_dispatched_case(const TorchShim& shim, const Case& one, NumberType type) {
  Problem problem = make_problem(one, type);
  const Handles handles(shim, problem);
  if (!handles.good()) return;
  const Torch torch(shim);
  StableValue value = 0;
  Answer choice = torch.dispatched("aten::_fused_sdp_choice", handles, one, problem.scale, value);
  Event event("choice");
  event.text("name", case_name(one, type)).integer("rc", choice.rc);
  if (choice.rc == 0) {
    event.integer("backend", static_cast<std::int64_t>(value));
  } else {
    event.text("error", choice.error);
  }
  event.emit();

  Answer answer =
      torch.dispatched("aten::scaled_dot_product_attention", handles, one, problem.scale, value);
  if (answer.rc == 0) answer.out = reinterpret_cast<TensorHandle>(value);
  report_case(shim, one, type, "dispatcher", answer, problem);
}

Library open_torch(const std::string& torch) {
  const std::string path = torch + "/lib/libtorch_cpu.so";
  const std::int64_t began = monotonic_ns();
  Library library(path, RTLD_NOW | RTLD_GLOBAL);
  Event("open")
      .text("path", path)
      .flag("ok", library.loaded())
      .text("error", library.error())
      .number("seconds", static_cast<double>(monotonic_ns() - began) / 1e9)
      .emit();
  return library;
}

void report_missing(const char* symbol, const char* consequence) {
  Event("missing").text("symbol", symbol).text("consequence", consequence).emit();
}

int flash_cases(const std::string& folder, Progress& progress) {
  note(progress, kLoading);
  const Library torch = open_torch(folder);
  if (!torch.loaded()) return 0;
  const TorchShim shim(torch);
  if (const char* const symbol = shim.missing()) {
    report_missing(symbol, "no attention can be asked for");
    return 0;
  }
  if (shim.set_grad_mode != nullptr) shim.set_grad_mode(false);
  for (const NumberType type : kNumberTypes) {
    for (const Case& one : kFlashCases) {
      note(progress, case_name(one, type));
      run_flash_case(shim, one, type);
    }
  }
  return 0;
}

int dispatched_cases(const std::string& folder, Progress& progress) {
  note(progress, kLoading);
  const Library torch(folder + "/lib/libtorch_cpu.so", RTLD_NOW | RTLD_GLOBAL);
  if (!torch.loaded()) return 0;  // the first child has said so
  const TorchShim shim(torch);
  if (shim.missing() != nullptr) return 0;
  const bool no_dispatcher =
      shim.call_dispatcher == nullptr && shim.call_dispatcher_versioned == nullptr;
  if (no_dispatcher || shim.new_handle == nullptr) {
    report_missing("aoti_torch_call_dispatcher",
                   "the dispatcher's choice and grouped heads cannot be asked for");
    return 0;
  }
  if (shim.set_grad_mode != nullptr) shim.set_grad_mode(false);
  for (const NumberType type : {NumberType::float32, NumberType::bfloat16}) {
    for (const Case& one : kDispatchedCases) {
      note(progress, case_name(one, type));
      run_dispatched_case(shim, one, type);
    }
  }
  return 0;
}

}  // namespace
}  // namespace probe

int main(int argc, char** argv) {
  using namespace probe;
  const Arguments arguments(argc, argv, {"torch"});
  start("sdpa");
  const std::string torch = arguments.one("torch");
  void* const shared =
      ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 71;
  auto& progress = *new (shared) Progress{};
  for (int (*cases)(const std::string&, Progress&) : {flash_cases, dispatched_cases}) {
    const ChildEnd end = run_forked([&] { return cases(torch, progress); }, kTimeout);
    report(end.good() ? "grid" : progress.name.data(), end);
  }
  probe::end();
  return 0;
}
