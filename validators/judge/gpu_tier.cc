// SPDX-License-Identifier: Apache-2.0
// The table of the GPU tiers: which runs each check needs, when it applies, who judges it.
#include "validators/judge/gpu_tier.h"

#include "builder/base/text.h"
#include "validators/judge/gpu_checks.h"

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

/// A context maps the driver's memory into the process, and torch's libraries are 4 GB of files.
ProbeCall call(std::string label, std::string probe, std::chrono::seconds timeout,
               std::vector<std::string> arguments = {}) {
  return {.label = std::move(label),
          .probe = std::move(probe),
          .arguments = std::move(arguments),
          .timeout = timeout,
          .memory_bytes = 32 * kGiB};
}

std::vector<std::string> where_libraries_are(const Expectations& expectations) {
  std::vector<std::string> arguments;
  for (const ExpectedLibrary& library : expectations.libraries) {
    arguments.insert(arguments.end(), {"--library", library.path});
  }
  if (!expectations.torch_folder.empty()) {
    arguments.insert(arguments.end(), {"--torch", expectations.torch_folder});
  }
  return arguments;
}

Calls state_calls(const Expectations& expectations, const Options&) {
  ProbeCall one =
      call(std::string(kGpuStateCall), "gpu_state", 180s, where_libraries_are(expectations));
  if (expectations.gpu_memory) {
    one.arguments.insert(one.arguments.end(),
                         {"--memory", std::to_string(*expectations.gpu_memory)});
  }
  return {one};
}

Calls kernel_calls(const Expectations& expectations, const Options&) {
  return {call("gpu_kernel", "gpu_kernel", 600s, where_libraries_are(expectations))};
}

Calls convolution_calls(const Expectations& expectations, const Options&) {
  return {call("gpu_conv", "gpu_conv", 240s, where_libraries_are(expectations))};
}

Calls attention_calls(const Expectations& expectations, const Options&) {
  return {call("gpu_sdpa", "gpu_sdpa", 600s, {"--torch", expectations.torch_folder})};
}

Calls cold_start_calls(const Expectations& expectations, const Options& options) {
  Calls calls;
  for (int sample = 1; sample <= options.cold_samples; ++sample) {
    calls.push_back(call("gpu_coldstart:" + std::to_string(sample), "gpu_coldstart", 180s,
                         where_libraries_are(expectations)));
  }
  return calls;
}

Calls all_reduce_calls(const Expectations& expectations, const Options& options) {
  Calls calls;
  const std::vector<std::string> modes = options.one_of_many
                                             ? std::vector<std::string>{"environment"}
                                             : std::vector<std::string>{"threads", "processes"};
  for (const std::string& mode : modes) {
    ProbeCall one =
        call("nccl_allreduce:" + mode, "nccl_allreduce", 300s, where_libraries_are(expectations));
    one.arguments.insert(one.arguments.end(), {"--mode", mode, "--seconds", "150"});
    calls.push_back(std::move(one));
  }
  return calls;
}

// When a check does not apply: the reason, or empty.
std::string always(const Expectations&) { return {}; }
std::string needs_torch(const Expectations& expectations) {
  return expectations.torch_folder.empty() ? "there is no torch in the image" : "";
}
std::string needs_memory(const Expectations& expectations) {
  return expectations.gpu_memory ? "" : "nothing says how much GPU memory the workload needs";
}

struct GpuCheck {
  std::string_view id;
  Tier tier;
  std::string (*not_applicable)(const Expectations&);
  Calls (*calls)(const Expectations&, const Options&);
  Judgement (*judge)(const ContainerInput&);
};

constexpr std::array<GpuCheck, 11> kChecks{{
    {"DRV-FLOOR", Tier::gpu, always, state_calls, judge_driver_floor},
    {"GPU-STATE", Tier::gpu, always, state_calls, judge_gpu_health},
    {"GPU-MEMORY", Tier::gpu, needs_memory, state_calls, judge_gpu_memory},
    {"CC-KERNEL", Tier::gpu, always, kernel_calls, judge_first_kernel},
    {"SDPA-FLASH", Tier::gpu, needs_torch, attention_calls, judge_flash_attention},
    {"SDPA-EFF", Tier::gpu, needs_torch, attention_calls, judge_efficient_attention},
    {"SDPA-CUDNN", Tier::gpu, needs_torch, attention_calls, judge_cudnn_attention},
    {"SDPA-CHOICE", Tier::gpu, needs_torch, attention_calls, judge_attention_choice},
    {"CUDNN-CONV", Tier::gpu, always, convolution_calls, judge_convolution},
    {"COLD-GPU", Tier::gpu, always, cold_start_calls, judge_gpu_cold_start},
    {"NCCL-AR", Tier::multi_gpu, always, all_reduce_calls, judge_nccl_all_reduce},
}};

bool is_selected(const GpuCheck& check, const Options& options) {
  return options.only.empty() ||
         std::any_of(options.only.begin(), options.only.end(), [&](const std::string& id) {
           return to_lower_ascii(id) == to_lower_ascii(check.id);
         });
}

/// The driver's own check says what the image did to it; all others have nothing to say without a
/// GPU.
bool speaks_without_gpu(const GpuCheck& check) { return check.judge == judge_driver_floor; }

CheckResult result_of(const GpuCheck& check, Judgement judgement, const std::string& why_not) {
  std::string id(check.id);
  const bool failed = worst_of(judgement.findings) == Status::fail;
  const std::string& reason = !why_not.empty() ? why_not : judgement.blocked;
  CheckResult result;
  if (!failed && !reason.empty()) {
    result = blocked(std::move(id), check.tier, reason);
    result.findings = std::move(judgement.findings);
  } else if (!failed && !judgement.skipped.empty()) {
    result = skipped(std::move(id), check.tier, judgement.skipped);
    result.findings = std::move(judgement.findings);
  } else {
    result = conclude(std::move(id), check.tier, std::move(judgement.findings));
  }
  return result;
}

/// Whether a fake library answered in one of these runs.
bool has_stand_in(const ProbeRun& run) {
  return std::any_of(run.events.begin(), run.events.end(),
                     [](const Json& event) { return flag_of(event, "stand_in").value_or(false); });
}

CheckResult judge_one(const GpuCheck& check, const ContainerInput& input) {
  const ProbeRun* const state_run = find_run(input.runs, kGpuStateCall);
  const GpuState state = read_gpu_state(state_run);
  bool simulated = state_run != nullptr && has_stand_in(*state_run);
  double seconds = 0;
  std::string why_not = state.why_none;
  if (why_not.empty()) {
    const std::string reason = check.not_applicable(input.expectations);
    if (!reason.empty()) return skipped(std::string(check.id), check.tier, reason);
    for (const ProbeCall& one : check.calls(input.expectations, input.options)) {
      const ProbeRun* const run = find_run(input.runs, one.label);
      if (run != nullptr) {
        seconds += run->seconds;
        simulated = simulated || has_stand_in(*run);
      }
      if (why_not.empty()) why_not = why_unusable(run, one.label);
    }
  }
  CheckResult result;
  try {
    Judgement judgement;
    if (state.why_none.empty() || speaks_without_gpu(check)) judgement = check.judge(input);
    result = result_of(check, std::move(judgement), why_not);
  } catch (const std::exception& error) {
    result = blocked(std::string(check.id), check.tier,
                     "the observations cannot be judged: " + printable(error.what()));
  }
  result.simulated = simulated;
  result.seconds = seconds;
  return result;
}

}  // namespace

std::vector<ProbeCall> gpu_plan(const Expectations& expectations,
                                const ContainerPlanOptions& options) {
  std::vector<ProbeCall> plan;
  const auto add = [&](ProbeCall one) {
    const bool known = std::any_of(
        plan.begin(), plan.end(), [&](const ProbeCall& other) { return other.label == one.label; });
    if (!known) plan.push_back(std::move(one));
  };
  for (const GpuCheck& check : kChecks) {
    if (!is_selected(check, options)) continue;
    for (ProbeCall& one : state_calls(expectations, options)) add(std::move(one));
    if (!check.not_applicable(expectations).empty()) continue;
    for (ProbeCall& one : check.calls(expectations, options)) add(std::move(one));
  }
  return plan;
}

std::string why_no_gpu(const ProbeRun& state) { return read_gpu_state(&state).why_none; }

std::vector<CheckResult> judge_gpu(const Expectations& expectations,
                                   const ContainerPlanOptions& options,
                                   const std::vector<ProbeRun>& runs) {
  const ContainerInput input{expectations, options, runs};
  std::vector<CheckResult> results;
  for (const GpuCheck& check : kChecks) {
    if (is_selected(check, options)) results.push_back(judge_one(check, input));
  }
  return results;
}

}  // namespace img
