// SPDX-License-Identifier: Apache-2.0
// The container tier: which probes to run for an image, and what their observations mean.
#pragma once

#include "validators/judge/expectations.h"
#include "validators/judge/finding.h"
#include "validators/judge/observation.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace img {

/// One run that the tier asks for; whoever can start processes in the image (the runner from
/// outside, `imgcheck inside` from within) carries it out.
struct ProbeCall {
  std::string label;  ///< unique in a plan
  std::string probe;  ///< program of the bundle: "versions"
  std::vector<std::string> arguments;
  std::map<std::string, std::string> env;  ///< added to the image's own environment
  std::vector<std::string> unset;          ///< removed from it
  std::uint32_t uid = 65532;               ///< has no passwd entry in most images
  bool writable_tmp = true;                ///< a fresh tmpfs on /tmp; never anything else
  std::chrono::seconds timeout{60};
  std::uint64_t memory_bytes = 4ull << 30;
};

struct ContainerPlanOptions {
  std::vector<std::string> only;  ///< ids of checks; empty: all
  int cold_samples = 5;           ///< fresh processes for each figure of a cold start
  /// --cold: whoever runs the plan drops the image's own files before each call of "coldstart".
  bool drop_page_cache = false;
  /// The image sets LD_LIBRARY_PATH; where it does not, loading without it is the same once more.
  bool library_path = true;
  /// torchrun's variables say that this is one process of many: the GPU tiers join the others.
  bool one_of_many = false;
};

/// The runs that the checks of the tier need, in order; pure.
std::vector<ProbeCall> container_plan(const Expectations& expectations,
                                      const ContainerPlanOptions& options);

/// True for a call that could only show once more what an earlier run has shown: a further sample
/// of a cold start that fails, which may take its whole time limit to do so. Who runs the plan
/// leaves such calls out; the failure itself is in `before`.
bool is_pointless(const ProbeCall& call, const std::vector<ProbeRun>& before);

/// One result for each check of the tier that `options` selects; pure. A call of the plan without a
/// run is blocked.
std::vector<CheckResult> judge_container(const Expectations& expectations,
                                         const ContainerPlanOptions& options,
                                         const std::vector<ProbeRun>& runs);

}  // namespace img
