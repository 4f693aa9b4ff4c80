// SPDX-License-Identifier: Apache-2.0
// Judges how soon a GPU is ready: medians of fresh processes, phase by phase.
#include "validators/judge/gpu_checks.h"

#include <algorithm>
#include <array>
#include <map>

namespace img {
namespace {

/// In the order in which a process goes through them; up to "kernel" counts against the promise.
constexpr std::array<std::string_view, 6> kPhases{"init",   "context", "allocation",
                                                  "kernel", "cublas",  "attention"};
constexpr std::size_t kPromised = 4;

std::string phase_name(std::string_view phase) {
  if (phase == "init") return "cuInit";
  if (phase == "context") return "context";
  if (phase == "allocation") return "first allocation";
  if (phase == "kernel") return "first kernel";
  if (phase == "cublas") return "first product of cuBLAS";
  return "loading torch and its first attention";
}

std::string spread_text(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return "median " + time_text(median_of(values)) + ", from " + time_text(*least) + " to " +
         time_text(*most) + " in " + std::to_string(values.size()) + " samples";
}

/// Times of one sample by phase; a phase that failed is a finding and ends the sample.
std::map<std::string, double> sample_of(const ProbeRun& run, Judgement& judgement) {
  std::map<std::string, double> phases;
  for (const Json* event : events_named(run, "sample")) {
    const std::string phase = text_or(*event, "phase", "");
    const std::optional<double> seconds = number_of(*event, "seconds");
    if (!flag_of(*event, "ok").value_or(false) || !seconds || *seconds < 0) {
      judgement.fail("'" + phase_name(phase) + "' of a cold start fails in '" + run.label + "'",
                     text_or(*event, "error", ""));
    } else {
      phases[phase] = *seconds;
    }
  }
  return phases;
}

void judge_promise(const ContainerInput& input, const std::vector<double>& totals,
                   Judgement& judgement) {
  const std::optional<double> limit = input.expectations.cold_gpu_seconds;
  const std::string what = "from nothing to the first kernel";
  if (!limit) {
    judgement.pass(what, spread_text(totals));
    return;
  }
  const bool kept = median_of(totals) <= *limit;
  judgement.findings.push_back({.status = kept ? Status::pass : Status::fail,
                                .message = what + (kept ? "" : " takes longer than promised"),
                                .expected = "median at most " + time_text(*limit),
                                .actual = spread_text(totals),
                                .source = "manifest"});
}

}  // namespace

Judgement judge_gpu_cold_start(const ContainerInput& input) {
  Judgement judgement;
  std::map<std::string, std::vector<double>> phases;
  std::vector<double> totals;
  std::string loading;
  std::int64_t devices = 0;
  for (const ProbeRun* run : usable_runs(input, "gpu_coldstart")) {
    judge_children(*run, "a cold start on the GPU", judgement);
    const std::map<std::string, double> sample = sample_of(*run, judgement);
    double total = 0;
    std::size_t found = 0;
    for (std::size_t i = 0; i < kPromised; ++i) {
      const auto phase = sample.find(std::string(kPhases[i]));
      if (phase == sample.end()) continue;
      total += phase->second;
      ++found;
    }
    if (found == kPromised) totals.push_back(total);
    for (const auto& [name, seconds] : sample) phases[name].push_back(seconds);
    for (const Json* event : events_named(*run, "loading")) {
      loading = text_or(*event, "mode", loading);
    }
    for (const Json* event : events_named(*run, "devices")) {
      devices = integer_of(*event, "count").value_or(devices);
    }
  }
  if (!totals.empty()) judge_promise(input, totals, judgement);
  for (const std::string_view phase : kPhases) {
    const auto seen = phases.find(std::string(phase));
    if (seen != phases.end()) judgement.pass(phase_name(phase), spread_text(seen->second));
  }
  if (loading == "eager") {
    judgement.warn("modules are loaded eagerly: set CUDA_MODULE_LOADING=LAZY");
  } else if (loading == "lazy") {
    judgement.pass("modules are loaded lazily");
  }
  if (devices > 0) judgement.pass("GPUs that a sample sees", std::to_string(devices));
  const auto samples = static_cast<std::size_t>(std::max(1, input.options.cold_samples));
  if (totals.size() < samples) {
    judgement.blocked = "fewer than " + std::to_string(samples) + " samples of a cold start";
  }
  return judgement;
}

}  // namespace img
