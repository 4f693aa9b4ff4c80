// SPDX-License-Identifier: Apache-2.0
// The checks of the container tier, one function each: from runs of probes to what they mean.
#pragma once

#include "validators/judge/container_tier.h"
#include "validators/judge/event_reader.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

struct ContainerInput {
  const Expectations& expectations;
  const ContainerPlanOptions& options;
  const std::vector<ProbeRun>& runs;
};

/// What a check found. A failure among the findings wins over `blocked`, and that over the rest.
struct Judgement {
  std::vector<Finding> findings = {};
  std::string blocked = {};  ///< why nothing can be said; empty: something can
  std::string skipped = {};  ///< why there is nothing to say
  bool simulated = false;    ///< a stand-in library answered

  void pass(std::string message, std::string actual = {}, std::string path = {});
  void warn(std::string message, std::string actual = {}, std::string path = {});
  void fail(std::string message, std::string actual = {}, std::string path = {});
};

// Each judges the usable ones among its runs; judge_container() deals with those that are not.
Judgement judge_load_torch(const ContainerInput& input);
Judgement judge_load_provenance(const ContainerInput& input);
Judgement judge_cudart_version(const ContainerInput& input);
Judgement judge_cudnn_version(const ContainerInput& input);
Judgement judge_nccl_version(const ContainerInput& input);
Judgement judge_library_versions(const ContainerInput& input);
Judgement judge_driver_state(const ContainerInput& input);
Judgement judge_cpu_attention(const ContainerInput& input);
Judgement judge_cpu_all_reduce(const ContainerInput& input);
Judgement judge_cold_start(const ContainerInput& input);
Judgement judge_imports(const ContainerInput& input);
Judgement judge_pip_check(const ContainerInput& input);
Judgement judge_no_user(const ContainerInput& input);
Judgement judge_compile(const ContainerInput& input);

/// The run of a label when it ran from start to end, else nullptr.
const ProbeRun* usable_run(const ContainerInput& input, std::string_view label);
/// Runs whose label is `prefix` or starts with `prefix` + ":", usable ones only.
std::vector<const ProbeRun*> usable_runs(const ContainerInput& input, std::string_view prefix);

/// A child process of a probe that did not end well is a finding of its own: a crash while loading
/// or calling is what many of these checks look for. `what` completes "loading torch …".
void judge_children(const ProbeRun& run, const std::string& what, Judgement& judgement);

/// "0.37 s"
std::string time_text(double seconds);
double median_of(std::vector<double> values);  ///< 0 for none

}  // namespace img
