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
};

/// The runs that the checks of the tier need, in order; pure.
std::vector<ProbeCall> container_plan(const Expectations& expectations,
                                      const ContainerPlanOptions& options);

/// One result for each check of the tier that `options` selects; pure. A call of the plan without a
/// run is blocked.
std::vector<CheckResult> judge_container(const Expectations& expectations,
                                         const ContainerPlanOptions& options,
                                         const std::vector<ProbeRun>& runs);

}  // namespace img
