// SPDX-License-Identifier: Apache-2.0
// The tiers of one GPU and of several: which probes to run, and what their observations mean.
#pragma once

#include "validators/judge/container_tier.h"

#include <string>
#include <vector>

namespace img {

/// Label of the call that comes first in every plan with calls: without it nothing else is known.
inline constexpr std::string_view kGpuStateCall = "gpu_state";

/// The runs that the checks of the two tiers need, in order; pure. Every call needs the GPUs.
std::vector<ProbeCall> gpu_plan(const Expectations& expectations,
                                const ContainerPlanOptions& options);

/// Why the other calls of a plan need not be made: there is no GPU. Empty: there is one.
std::string why_no_gpu(const ProbeRun& state);

/// One result for each check of the two tiers that `options` selects; pure. Without a GPU all are
/// blocked, with the reason that the first call gives. A result that a fake library had a hand in
/// is `simulated`.
std::vector<CheckResult> judge_gpu(const Expectations& expectations,
                                   const ContainerPlanOptions& options,
                                   const std::vector<ProbeRun>& runs);

}  // namespace img
