// SPDX-License-Identifier: Apache-2.0
// The table of the container tier: which runs each check needs, when it applies, who judges it.
#include "validators/judge/container_tier.h"

#include "builder/base/text.h"
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace img {
namespace {

using namespace std::chrono_literals;

using Calls = std::vector<ProbeCall>;
using Options = ContainerPlanOptions;

constexpr std::uint64_t kGiB = 1ull << 30;

ProbeCall call(std::string label, std::string probe, std::vector<std::string> arguments = {}) {
  return {.label = std::move(label), .probe = std::move(probe), .arguments = std::move(arguments)};
}

/// Once as the image ships it and once without LD_LIBRARY_PATH: an image whose torch loads only
/// with it breaks in every program that starts with a clean environment.
void add_with_and_without_library_path(Calls& calls, const Options& options, ProbeCall one) {
  // libtorch with its CUDA libraries maps 4 GB of files; what is touched of them counts as memory.
  one.memory_bytes = 8 * kGiB;
  one.timeout = 120s;
  calls.push_back(one);
  if (!options.library_path) return;
  one.label += "-clean";
  one.unset = {"LD_LIBRARY_PATH"};
  calls.push_back(std::move(one));
}

Calls load_calls(const Expectations& expectations, const Options& options) {
  Calls calls;
  add_with_and_without_library_path(
      calls, options, call("load:cpp", "load", {"--torch", expectations.torch_folder}));
  if (!expectations.python.empty()) {
    add_with_and_without_library_path(
        calls, options,
        call("load:python", "load",
             {"--torch", expectations.torch_folder, "--python", expectations.python}));
  }
  return calls;
}

/// "/opt/venv" of "/opt/venv/bin/python3"; empty when the interpreter is not in a bin folder.
std::string prefix_of(const std::string& python) {
  const std::size_t bin = python.rfind("/bin/");
  return bin == std::string::npos ? "" : python.substr(0, bin);
}

Calls version_calls(const Expectations& expectations, const Options&) {
  std::vector<std::string> arguments;
  for (const ExpectedLibrary& library : expectations.libraries) {
    arguments.insert(arguments.end(), {"--library", library.path});
  }
  if (!expectations.torch_folder.empty()) {
    arguments.insert(arguments.end(), {"--torch", expectations.torch_folder});
  }
  if (const std::string prefix = prefix_of(expectations.python); !prefix.empty()) {
    arguments.insert(arguments.end(), {"--prefix", prefix});
  }
  ProbeCall one = call("versions", "versions", std::move(arguments));
  one.timeout = 120s;
  return {one};
}

Calls sdpa_calls(const Expectations& expectations, const Options&) {
  ProbeCall one = call("sdpa", "sdpa", {"--torch", expectations.torch_folder});
  one.timeout = 240s;
  return {one};
}

Calls all_reduce_calls(const Expectations&, const Options&) {
  Calls calls{call("allreduce:file", "allreduce", {"--rendezvous", "file"}),
              call("allreduce:tcp", "allreduce", {"--rendezvous", "tcp"})};
  for (ProbeCall& one : calls) one.timeout = 120s;  // the probe's own limit is 30 s three times
  return calls;
}

/// Warm samples measure all phases one after the other; a cold one must be the first to touch the
/// image's files, so that each phase has a call of its own. Who runs the plan with
/// `drop_page_cache` drops it before each call whose probe is "coldstart".
Calls cold_start_calls(const Expectations& expectations, const Options& options) {
  std::vector<std::string> common;
  if (!expectations.python.empty()) {
    common.insert(common.end(), {"--python", expectations.python});
  }
  if (!expectations.torch_folder.empty()) {
    common.insert(common.end(), {"--torch", expectations.torch_folder});
  }
  std::vector<std::string> phases;
  if (!expectations.python.empty()) phases.emplace_back("interpreter");
  if (!expectations.torch_folder.empty()) phases.emplace_back("libtorch");
  if (!expectations.python.empty() && !expectations.torch_folder.empty()) {
    phases.emplace_back("import");
  }

  Calls calls;
  const auto add = [&](const std::string& label, const std::vector<std::string>& chosen) {
    ProbeCall one = call(label, "coldstart", common);
    for (const std::string& phase : chosen) {
      one.arguments.insert(one.arguments.end(), {"--phase", phase});
    }
    one.timeout = 120s;
    one.memory_bytes = 8 * kGiB;
    calls.push_back(std::move(one));
  };
  for (int sample = 1; sample <= options.cold_samples; ++sample) {
    const std::string number = std::to_string(sample);
    if (!options.drop_page_cache) {
      add("coldstart:" + number, phases);
      continue;
    }
    for (const std::string& phase : phases) add("coldstart:" + phase + ":" + number, {phase});
  }
  // What is opened, mapped and missing is looked at in a run of its own, since looking costs time.
  if (phases.size() == 3) add("coldstart:detail", {"detail"});
  return calls;
}

ProbeCall python_call(const Expectations& expectations, const std::string& mode) {
  ProbeCall one =
      call("python:" + mode, "python", {"--python", expectations.python, "--mode", mode});
  one.memory_bytes = 8 * kGiB;
  one.timeout = 120s;
  return one;
}

Calls import_calls(const Expectations& expectations, const Options&) {
  ProbeCall one = python_call(expectations, "import");
  for (const ExpectedPackage& package : expectations.packages) {
    one.arguments.insert(one.arguments.end(), {"--distribution", package.name});
  }
  one.timeout = 300s;
  return {one};
}

Calls pip_check_calls(const Expectations& expectations, const Options&) {
  return {python_call(expectations, "pip-check")};
}

Calls no_user_calls(const Expectations& expectations, const Options&) {
  ProbeCall one = python_call(expectations, "nouser");
  if (!expectations.torch_folder.empty()) {
    one.arguments.insert(one.arguments.end(), {"--torch", expectations.torch_folder});
  }
  return {one};
}

Calls compile_calls(const Expectations& expectations, const Options&) {
  ProbeCall one = python_call(expectations, "compile");
  one.env = {{"TORCHINDUCTOR_CACHE_DIR", "/tmp/inductor"}, {"TRITON_CACHE_DIR", "/tmp/triton"}};
  one.timeout = 300s;
  return {one};
}

// When a check does not apply: the reason, or empty.
std::string always(const Expectations&) { return {}; }
std::string needs_torch(const Expectations& expectations) {
  return expectations.torch_folder.empty() ? "there is no torch in the image" : "";
}
std::string needs_python(const Expectations& expectations) {
  return expectations.python.empty() ? "no Python interpreter is known in the image" : "";
}
std::string needs_python_or_torch(const Expectations& expectations) {
  return expectations.python.empty() && expectations.torch_folder.empty()
             ? "there is neither a Python interpreter nor torch in the image"
             : "";
}
std::string needs_compile(const Expectations& expectations) {
  if (!expectations.compile) return "the image does not promise torch.compile (no C++ compiler)";
  const std::string torch = needs_torch(expectations);
  return torch.empty() ? needs_python(expectations) : torch;
}

struct ContainerCheck {
  std::string_view id;
  std::string (*not_applicable)(const Expectations&);
  Calls (*calls)(const Expectations&, const Options&);
  Judgement (*judge)(const ContainerInput&);
};

constexpr std::array<ContainerCheck, 14> kChecks{{
    {"LOAD-TORCH", needs_torch, load_calls, judge_load_torch},
    {"LOAD-PROV", needs_torch, load_calls, judge_load_provenance},
    {"VER-CUDART", always, version_calls, judge_cudart_version},
    {"VER-CUDNN", always, version_calls, judge_cudnn_version},
    {"VER-NCCL", always, version_calls, judge_nccl_version},
    {"VER-LIBS", always, version_calls, judge_library_versions},
    {"DRV-STATE", always, version_calls, judge_driver_state},
    {"SDPA-CPU", needs_torch, sdpa_calls, judge_cpu_attention},
    {"DIST-CPU", always, all_reduce_calls, judge_cpu_all_reduce},
    {"COLD-CPU", needs_python_or_torch, cold_start_calls, judge_cold_start},
    {"PY-IMPORT", needs_python, import_calls, judge_imports},
    {"PY-PIPCHECK", needs_python, pip_check_calls, judge_pip_check},
    {"PY-NOUSER", needs_python, no_user_calls, judge_no_user},
    {"PY-COMPILE", needs_compile, compile_calls, judge_compile},
}};

bool is_selected(const ContainerCheck& check, const Options& options) {
  return options.only.empty() ||
         std::any_of(options.only.begin(), options.only.end(), [&](const std::string& id) {
           return to_lower_ascii(id) == to_lower_ascii(check.id);
         });
}

CheckResult result_of(const ContainerCheck& check, Judgement judgement,
                      const std::string& unusable) {
  std::string id(check.id);
  const bool failed = worst_of(judgement.findings) == Status::fail;
  CheckResult result;
  if (!failed && !unusable.empty()) {
    result = blocked(std::move(id), Tier::container, unusable);
    result.findings = std::move(judgement.findings);
  } else if (!failed && !judgement.blocked.empty()) {
    result = blocked(std::move(id), Tier::container, judgement.blocked);
    result.findings = std::move(judgement.findings);
  } else if (!failed && !judgement.skipped.empty()) {
    result = skipped(std::move(id), Tier::container, judgement.skipped);
    result.findings = std::move(judgement.findings);
  } else {
    result = conclude(std::move(id), Tier::container, std::move(judgement.findings));
  }
  result.simulated = judgement.simulated;
  return result;
}

CheckResult judge_one(const ContainerCheck& check, const ContainerInput& input) {
  const std::string reason = check.not_applicable(input.expectations);
  if (!reason.empty()) return skipped(std::string(check.id), Tier::container, reason);

  std::string unusable;
  double seconds = 0;
  for (const ProbeCall& one : check.calls(input.expectations, input.options)) {
    const ProbeRun* const run = find_run(input.runs, one.label);
    if (run != nullptr) seconds += run->seconds;
    if (unusable.empty()) unusable = why_unusable(run, one.label);
  }
  CheckResult result;
  try {
    result = result_of(check, check.judge(input), unusable);
  } catch (const std::exception& error) {
    // Observations come from inside the image: whatever they hold may not end the program.
    result = blocked(std::string(check.id), Tier::container,
                     "the observations cannot be judged: " + printable(error.what()));
  }
  result.seconds = seconds;
  return result;
}

}  // namespace

std::vector<ProbeCall> container_plan(const Expectations& expectations,
                                      const ContainerPlanOptions& options) {
  std::vector<ProbeCall> plan;
  for (const ContainerCheck& check : kChecks) {
    if (!is_selected(check, options) || !check.not_applicable(expectations).empty()) continue;
    for (ProbeCall& one : check.calls(expectations, options)) {
      const bool known = std::any_of(plan.begin(), plan.end(), [&](const ProbeCall& other) {
        return other.label == one.label;
      });
      if (!known) plan.push_back(std::move(one));
    }
  }
  return plan;
}

bool is_pointless(const ProbeCall& call, const std::vector<ProbeRun>& before) {
  if (call.probe != "coldstart") return false;
  return std::any_of(before.begin(), before.end(), [&](const ProbeRun& run) {
    if (run.probe != call.probe) return false;
    const std::vector<const Json*> samples = events_named(run, "sample");
    return std::any_of(samples.begin(), samples.end(),
                       [](const Json* event) { return flag_of(*event, "ok") == false; });
  });
}

std::vector<CheckResult> judge_container(const Expectations& expectations,
                                         const ContainerPlanOptions& options,
                                         const std::vector<ProbeRun>& runs) {
  const ContainerInput input{expectations, options, runs};
  std::vector<CheckResult> results;
  for (const ContainerCheck& check : kChecks) {
    if (is_selected(check, options)) results.push_back(judge_one(check, input));
  }
  return results;
}

void Judgement::pass(std::string message, std::string actual, std::string path) {
  findings.push_back({.status = Status::pass,
                      .message = std::move(message),
                      .path = std::move(path),
                      .actual = std::move(actual)});
}
void Judgement::warn(std::string message, std::string actual, std::string path) {
  findings.push_back({.status = Status::warn,
                      .message = std::move(message),
                      .path = std::move(path),
                      .actual = std::move(actual)});
}
void Judgement::fail(std::string message, std::string actual, std::string path) {
  findings.push_back({.status = Status::fail,
                      .message = std::move(message),
                      .path = std::move(path),
                      .actual = std::move(actual)});
}

const ProbeRun* usable_run(const ContainerInput& input, std::string_view label) {
  const ProbeRun* const run = find_run(input.runs, label);
  return why_unusable(run, label).empty() ? run : nullptr;
}

std::vector<const ProbeRun*> usable_runs(const ContainerInput& input, std::string_view prefix) {
  std::vector<const ProbeRun*> found;
  for (const ProbeRun& run : input.runs) {
    const bool wanted = run.label == prefix || run.label.starts_with(std::string(prefix) + ":");
    if (wanted && why_unusable(&run, run.label).empty()) found.push_back(&run);
  }
  return found;
}

void judge_children(const ProbeRun& run, const std::string& what, Judgement& judgement) {
  for (const Json* event : events_named(run, "child")) {
    const std::string end = text_or(*event, "end", "unknown");
    const std::int64_t code = integer_of(*event, "code").value_or(-1);
    if (end == "exited" && code == 0) continue;
    std::string message = what;
    if (const auto of = text_of(*event, "of")) message += " ('" + *of + "')";
    if (end == "signalled") {
      message += " ends with signal " + std::to_string(code);
      // SIGBUS: the page that was touched is beyond the end of its file.
      if (code == 7) message += " (a mapped file is shorter than its headers say)";
    } else if (end == "timed_out") {
      message += " does not end in time";
    } else {
      message += " ends with exit code " + std::to_string(code);
    }
    judgement.fail(message + " in '" + run.label + "'", text_or(*event, "stderr", ""));
  }
}

std::string time_text(double seconds) {
  // Hundredths are what a reader compares; beyond a year something lied and digits do not matter.
  if (!(seconds >= 0) || seconds > 3e7) return "an impossible time";
  const auto hundredths = static_cast<std::uint64_t>(seconds * 100 + 0.5);
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + std::string(2 - fraction.size(), '0') + fraction +
         " s";
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace img
