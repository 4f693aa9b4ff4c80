// SPDX-License-Identifier: Apache-2.0
// One report on the container that this process runs in.
#pragma once

#include "builder/base/error.h"
#include "validators/inside/options.h"
#include "validators/report/report.h"

#include <functional>
#include <string>

namespace img {

/// `progress` hears the label of each call before it runs. InputError when the expectations cannot
/// be read; UnavailableError when there are no probes.
Report check_inside(const InsideOptions& options,
                    const std::function<void(const std::string&)>& progress);

/// 1 when a check failed, 3 when one is blocked that had to run or none ran, else 0. Checks of the
/// GPU tiers have to run where there is a GPU, where their tier is required, and where they are the
/// only ones asked for. What a stand-in answered has not run.
ExitCode exit_code_inside(const Report& report, const InsideOptions& options);

}  // namespace img
