// SPDX-License-Identifier: Apache-2.0
// Judges attention on the GPU: each backend by itself, and what torch would choose.
#include "validators/judge/gpu_checks.h"
#include "validators/judge/gpu_tier.h"
#include "validators/judge/version_text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>

namespace img {
namespace {

/// Largest absolute error that counts as right, for inputs of unit variance. float32 may be
/// computed from pieces of TF32; a wrong mask, scale or stride gives errors near 1.
struct Tolerance {
  std::string_view type;
  double error;
};
constexpr std::array<Tolerance, 3> kTolerances{{
    {"float32", 2e-3},
    {"float16", 2e-2},
    {"bfloat16", 6e-2},
}};

std::string scientific(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2e", value);
  return text.data();
}

/// What decides which backends there are and which is chosen.
struct Setting {
  GpuDevice device;
  std::vector<std::uint64_t> torch, cuda;  ///< empty: not known
  std::int64_t cudnn = 0;                  ///< 91002; 0: not known

  bool at_least(int major, int minor) const {
    return device.major > major || (device.major == major && device.minor >= minor);
  }
  bool torch_from(std::uint64_t major, std::uint64_t minor, std::uint64_t patch = 0) const {
    return torch.empty() || torch >= std::vector<std::uint64_t>{major, minor, patch};
  }
  std::string text() const { return "on compute capability " + capability_text(device); }
};

Setting setting_of(const ContainerInput& input, const ProbeRun& run) {
  Setting setting;
  const GpuState state = read_gpu_state(find_run(input.runs, kGpuStateCall));
  if (!state.devices.empty()) setting.device = state.devices.front();
  setting.torch = version_numbers(input.expectations.torch_version);
  setting.cuda = version_numbers(input.expectations.torch_cuda);
  for (const Json* event : events_named(run, "cudnn")) {
    setting.cudnn = integer_of(*event, "version").value_or(0);
  }
  return setting;
}

/// Whether this torch should have the backend on this GPU: sdp_utils.cpp of its releases.
bool should_have(const std::string& backend, const Setting& setting,
                 const Expectations& expectations) {
  if (!expectations.attention_backends.empty()) {
    const auto& named = expectations.attention_backends;
    return std::find(named.begin(), named.end(), backend) != named.end();
  }
  if (backend == "flash") return setting.at_least(8, 0) && setting.torch_from(2, 2);
  if (backend == "cudnn") return setting.at_least(8, 0) && setting.torch_from(2, 6);
  return setting.at_least(5, 0);
}

struct Tally {
  std::uint64_t right = 0, refused = 0;
  double worst = 0;
  std::string refusal;
  std::set<std::string> features;
};

void judge_values(const Json& event, const std::string& name, const std::string& type, Tally& tally,
                  Judgement& judgement) {
  const auto tolerance = std::find_if(kTolerances.begin(), kTolerances.end(),
                                      [&](const Tolerance& one) { return one.type == type; });
  const std::int64_t elements = integer_of(event, "elements").value_or(0);
  const std::int64_t not_finite = integer_of(event, "not_finite").value_or(-1);
  const std::optional<double> error = number_of(event, "max_error");
  if (tolerance == kTolerances.end()) {
    judgement.fail("case '" + name + "' is of an unknown type", type);
  } else if (elements <= 0 || not_finite != 0 || !error || *error < 0) {
    judgement.fail("case '" + name + "' gives values that are no numbers",
                   std::to_string(not_finite) + " of " + std::to_string(elements));
  } else if (*error > tolerance->error) {
    judgement.findings.push_back({.status = Status::fail,
                                  .message = "case '" + name + "' gives wrong values",
                                  .expected = "error at most " + scientific(tolerance->error),
                                  .actual = scientific(*error),
                                  .source = "own reference in double precision"});
  } else {
    tally.right += 1;
    tally.worst = std::max(tally.worst, *error);
    tally.features.insert(type);
    for (const char* feature : {"causal", "mask", "strided", "grouped"}) {
      if (flag_of(event, feature).value_or(false)) tally.features.insert(feature);
    }
  }
}

bool torch_opened(const ProbeRun& run, Judgement& judgement) {
  for (const Json* event : events_named(run, "open")) {
    if (flag_of(*event, "ok").value_or(false)) continue;
    judgement.fail("torch cannot be loaded", text_or(*event, "error", ""),
                   text_or(*event, "path", ""));
    return false;
  }
  return true;
}

/// Children are named "flash: case in work": only the backend's own count.
void judge_own_children(const ProbeRun& run, const std::string& backend, Judgement& judgement) {
  ProbeRun own = run;
  std::erase_if(own.events, [&](const Json& event) {
    return is_event(event, "child") && !text_or(event, "of", "").starts_with(backend);
  });
  judge_children(own, "attention on the GPU", judgement);
}

std::vector<std::string> wanted_features(const std::string& backend) {
  if (backend == "flash") return {"float16", "bfloat16", "causal", "strided"};
  if (backend == "cudnn") return {"float16", "bfloat16", "causal"};
  return {"float32", "float16", "causal", "mask", "strided"};
}

Judgement judge_backend(const ContainerInput& input, const std::string& backend) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "gpu_sdpa");
  if (run == nullptr) return judgement;
  if (!torch_opened(*run, judgement)) return judgement;
  const Setting setting = setting_of(input, *run);
  const bool expected = should_have(backend, setting, input.expectations);
  for (const Json* event : events_named(*run, "missing")) {
    if (text_or(*event, "backend", "") != backend) continue;
    const std::string symbol = text_or(*event, "symbol", "");
    if (expected) {
      judgement.fail("this torch has no '" + symbol + "'");
    } else {
      judgement.skipped = "this torch has no '" + symbol + "'";
    }
    return judgement;
  }
  Tally tally;
  std::uint64_t cases = 0;
  for (const Json* event : events_named(*run, "case")) {
    if (text_or(*event, "backend", "") != backend) continue;
    ++cases;
    const std::string name = text_or(*event, "name", "a case without a name");
    if (const std::int64_t rc = integer_of(*event, "rc").value_or(-1); rc != 0) {
      tally.refused += 1;
      tally.refusal = text_or(*event, "error", "return code " + std::to_string(rc));
      // No kernel takes bfloat16 before 8.0.
      const bool none = text_or(*event, "type", "") == "bfloat16" && !setting.at_least(8, 0);
      if (expected && !none) judgement.fail("case '" + name + "' does not run", tally.refusal);
      continue;
    }
    judge_values(*event, name, text_or(*event, "type", ""), tally, judgement);
  }
  if (expected) {
    judge_own_children(*run, backend, judgement);
  }
  if (tally.right > 0) {
    judgement.pass(std::to_string(tally.right) + " cases are right",
                   "largest error " + scientific(tally.worst));
  }
  if (!expected && tally.right == 0) {
    judgement.skipped = "not to be had " + setting.text() + " with this torch" +
                        (tally.refusal.empty() ? "" : ": " + tally.refusal);
    return judgement;
  }
  if (cases == 0) judgement.blocked = "the probe computed no attention";
  for (const std::string& feature : wanted_features(backend)) {
    if (!expected || cases == 0 || tally.features.contains(feature)) continue;
    judgement.blocked = "no case with '" + feature + "' came to a right result";
  }
  return judgement;
}

std::string backend_name(std::int64_t backend) {
  constexpr std::array<std::string_view, 5> kNames{"math", "flash", "efficient", "cudnn",
                                                   "overrideable"};
  if (backend < 0 || backend >= static_cast<std::int64_t>(kNames.size())) return "unknown";
  return std::string(kNames[static_cast<std::size_t>(backend)]);
}

using Names = std::set<std::string>;

/// The default for half types without a mask; several names where no source says which.
Names default_for_half(const Setting& setting) {
  if (!setting.at_least(8, 0)) return {"efficient"};
  const bool prefers_cudnn =
      (setting.device.major == 9 && setting.device.minor == 0) || setting.device.major == 10;
  if (!prefers_cudnn) return {"flash"};
  if (setting.torch.empty()) return {"flash", "cudnn"};
  if (!setting.torch_from(2, 5)) return {"flash"};
  if (!setting.torch_from(2, 5, 1)) return {"cudnn"};
  if (!setting.torch_from(2, 10)) return {"flash"};
  if (setting.torch_from(2, 11) && setting.cudnn > 0 && setting.cudnn <= 91500) return {"flash"};
  const bool new_cuda = setting.cuda >= std::vector<std::uint64_t>{12, 9};
  if (setting.torch_from(2, 11) && setting.cudnn > 91500 && new_cuda) return {"cudnn"};
  return {"flash", "cudnn"};
}

Names expected_choice(const std::string& kind, const Setting& setting,
                      const Expectations& expectations) {
  if (kind == "float32") return {"efficient"};
  if (kind == "mask") return {"efficient", "cudnn"};
  const Names usual = expectations.attention_default.empty()
                          ? default_for_half(setting)
                          : Names{expectations.attention_default};
  // Query heads that share key heads: the efficient kernels do not take them.
  if (kind == "grouped") {
    return usual == Names{"efficient"} ? Names{"math"} : Names{"flash", "cudnn"};
  }
  return usual;
}

std::string join_names(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " or ") + name;
  return text;
}

}  // namespace

Judgement judge_flash_attention(const ContainerInput& input) {
  return judge_backend(input, "flash");
}
Judgement judge_efficient_attention(const ContainerInput& input) {
  return judge_backend(input, "efficient");
}
Judgement judge_cudnn_attention(const ContainerInput& input) {
  return judge_backend(input, "cudnn");
}

Judgement judge_attention_choice(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "gpu_sdpa");
  if (run == nullptr) return judgement;
  if (!torch_opened(*run, judgement)) return judgement;
  for (const Json* event : events_named(*run, "missing")) {
    if (text_or(*event, "backend", "") != "choice") continue;
    judgement.skipped = "this torch has no '" + text_or(*event, "symbol", "") + "'";
    return judgement;
  }
  judge_own_children(*run, "choice", judgement);
  const Setting setting = setting_of(input, *run);
  std::set<std::string> kinds;
  for (const Json* event : events_named(*run, "choice")) {
    const std::string kind = text_or(*event, "kind", "");
    const std::string name = text_or(*event, "name", kind);
    const std::optional<std::int64_t> backend = integer_of(*event, "backend");
    if (integer_of(*event, "rc") != 0 || !backend) {
      judgement.fail("the dispatcher does not say what it chooses for '" + name + "'",
                     text_or(*event, "error", ""));
      continue;
    }
    kinds.insert(kind);
    const Names wanted = expected_choice(kind, setting, input.expectations);
    const std::string chosen = backend_name(*backend);
    const bool right = wanted.contains(chosen);
    judgement.findings.push_back(
        {.status = right ? Status::pass : Status::fail,
         .message = right ? "the choice for '" + name + "'"
                          : "the choice for '" + name + "' is not the one to expect",
         .expected = join_names(wanted),
         .actual = chosen,
         .source = input.expectations.attention_default.empty() ? "torch's rules " + setting.text()
                                                                : "manifest"});
  }
  for (const char* kind : {"plain", "causal", "mask", "grouped", "float32"}) {
    if (!kinds.contains(kind)) {
      judgement.blocked = std::string("the dispatcher was not asked about '") + kind + "'";
    }
  }
  return judgement;
}

}  // namespace img
