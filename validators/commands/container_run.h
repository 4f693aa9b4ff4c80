// SPDX-License-Identifier: Apache-2.0
// The container tier from outside: probes in containers of an image on this machine.
#pragma once

#include "builder/base/progress.h"
#include "validators/commands/run_checks.h"
#include "validators/judge/expectations.h"

#include <string>
#include <vector>

namespace img {

struct ContainerRun {
  const CheckRequest& request;
  const Expectations& expectations;
  std::vector<std::string> ids;     ///< of checks; empty: all
  Status unable = Status::blocked;  ///< of every check when this machine cannot start containers
};

/// One result for each check. Names the runtime, times and notes in `report`.
std::vector<CheckResult> run_container_tier(const ContainerRun& run, Report& report,
                                            Progress& progress);

}  // namespace img
