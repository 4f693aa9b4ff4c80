// SPDX-License-Identifier: Apache-2.0
// What a start of an image takes, phase by phase, as far as a report of it says.
#pragma once

#include "validators/report/report.h"

#include <optional>
#include <string>
#include <vector>

namespace img {

/// One part of the time before work begins.
struct StartPhase {
  std::string name;  ///< "pull", "import torch"
  double seconds = 0;
  std::string origin;  ///< "given", or which measurement
};

struct StartPhases {
  std::vector<StartPhase> phases;
  std::vector<std::string> missing;  ///< what a start also takes and the report does not know
};

/// Medians of the cold start that the report's checks measured, and the pull of its packed size at
/// `pull_rate` bytes a second. Simulated results are not used.
StartPhases start_phases_of(const Report& report, std::optional<double> pull_rate);

}  // namespace img
