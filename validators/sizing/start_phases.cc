// SPDX-License-Identifier: Apache-2.0
// Takes the measured phases of a start out of a report.

#include "validators/sizing/start_phases.h"

#include "builder/base/text.h"
#include "validators/sizing/quantity.h"

#include <array>
#include <string_view>

namespace img {
namespace {

struct Measured {
  std::string_view message;  ///< start of the finding's message
  const char* name;
};
constexpr std::array<Measured, 2> kMeasured{{
    {"container create and start", "create and start"},
    {"'import',", "import torch"},
}};

/// 2.65 of "median 2.65 s, from …".
std::optional<double> median_in(std::string_view text) {
  constexpr std::string_view kPrefix = "median ";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  const std::size_t end = text.find(" s");
  return end == std::string_view::npos ? std::nullopt : parse_number(text.substr(0, end));
}

const CheckResult* cold_start_of(const Report& report) {
  for (const CheckResult& check : report.checks) {
    if (check.id == "COLD-CPU" && !check.simulated) return &check;
  }
  return nullptr;
}

}  // namespace

StartPhases start_phases_of(const Report& report, std::optional<double> pull_rate) {
  StartPhases start;
  if (pull_rate && report.image.packed_size != 0) {
    start.phases.push_back({.name = "pull",
                            .seconds = static_cast<double>(report.image.packed_size) / *pull_rate,
                            .origin = human_size(report.image.packed_size) + " at " +
                                      human_size(static_cast<std::uint64_t>(*pull_rate)) +
                                      " a second"});
  } else {
    start.missing.emplace_back("the pull: give --pull-rate or --phase pull=TIME");
  }
  const CheckResult* const cold = cold_start_of(report);
  for (const Measured& measured : kMeasured) {
    std::optional<double> seconds;
    if (cold != nullptr) {
      for (const Finding& finding : cold->findings) {
        if (!seconds && finding.message.starts_with(measured.message)) {
          seconds = median_in(finding.actual);
        }
      }
    }
    if (seconds) {
      start.phases.push_back(
          {.name = measured.name, .seconds = *seconds, .origin = "COLD-CPU of the report"});
    } else {
      start.missing.push_back("'" + std::string(measured.name) +
                              "': the report has no cold start (run the container tier)");
    }
  }
  start.missing.emplace_back(
      "what no report measures, unless it is given with --phase NAME=TIME: scheduling, unpacking, "
      "the GPU's first kernel");
  return start;
}

}  // namespace img
