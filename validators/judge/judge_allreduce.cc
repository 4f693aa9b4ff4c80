// SPDX-License-Identifier: Apache-2.0
// Judges the all-reduce over processes and shared memory: every element right, the formula of the
// bus bandwidth right. A stand-in for the harness, never for a GPU's bandwidth.
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace img {
namespace {

/// Bus bandwidth of an all-reduce is what one link carries: every byte goes round twice but for its
/// own part.
double bus_factor(std::int64_t ranks) {
  const auto n = static_cast<double>(ranks);
  return ranks < 1 ? 0 : 2 * (n - 1) / n;
}

bool near(double left, double right) {
  return std::abs(left - right) <= 1e-6 * std::max(std::abs(left), std::abs(right));
}

/// The bandwidths that a probe claims follow from bytes, time and ranks.
bool formula_holds(const Json& event) {
  const std::optional<std::int64_t> bytes = integer_of(event, "bytes");
  const std::optional<std::int64_t> ranks = integer_of(event, "ranks");
  const std::optional<double> seconds = number_of(event, "seconds_median");
  const std::optional<double> algorithm = number_of(event, "algorithm_bandwidth");
  const std::optional<double> bus = number_of(event, "bus_bandwidth");
  if (!bytes || !ranks || !seconds || !algorithm || !bus || *seconds <= 0) return false;
  return near(*algorithm, static_cast<double>(*bytes) / *seconds) &&
         near(*bus, *algorithm * bus_factor(*ranks));
}

std::string gigabytes(double bytes_per_second) {
  if (!(bytes_per_second >= 0) || bytes_per_second > 1e15) return "an impossible bandwidth";
  const auto hundredths = static_cast<std::uint64_t>(bytes_per_second / 1e7 + 0.5);
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + "." + std::string(2 - fraction.size(), '0') + fraction +
         " GB/s";
}

void judge_result(const ProbeRun& run, const Json& event, Judgement& judgement) {
  const std::string subject = std::to_string(integer_of(event, "ranks").value_or(-1)) + " ranks, " +
                              std::to_string(integer_of(event, "bytes").value_or(-1)) +
                              " bytes of " + text_or(event, "type", "?") + " in '" + run.label +
                              "'";
  const std::int64_t elements = integer_of(event, "elements_checked").value_or(0);
  const std::int64_t wrong = integer_of(event, "wrong").value_or(-1);
  if (elements <= 0) {
    judgement.fail("no element was compared: " + subject);
  } else if (wrong != 0) {
    judgement.fail("wrong sums: " + subject,
                   std::to_string(wrong) + " of " + std::to_string(elements));
  } else if (!formula_holds(event)) {
    judgement.fail("the bandwidths do not follow from bytes, time and ranks: " + subject);
  } else {
    judgement.pass("every element is right: " + subject,
                   "bus bandwidth " + gigabytes(number_of(event, "bus_bandwidth").value_or(-1)) +
                       " over shared memory");
  }
}

}  // namespace

Judgement judge_cpu_all_reduce(const ContainerInput& input) {
  Judgement judgement;
  for (const ProbeRun* run : usable_runs(input, "allreduce")) {
    judge_children(*run, "a rank of the all-reduce", judgement);
    std::set<std::int64_t> ranks;
    for (const Json* event : events_named(*run, "result")) {
      ranks.insert(integer_of(*event, "ranks").value_or(-1));
      if (text_or(*event, "transport", "") != "shared memory") {
        judgement.blocked = "the transport is not the one that this check is about";
      }
      judge_result(*run, *event, judgement);
    }
    for (const Json* event : events_named(*run, "failure")) {
      judgement.fail("the ranks cannot work together in '" + run->label + "'",
                     text_or(*event, "error", ""));
    }
    // One rank proves nothing about working together.
    if (ranks.empty() || *ranks.rbegin() < 2) {
      judgement.blocked = "no all-reduce over two or more ranks in '" + run->label + "'";
    }
  }
  return judgement;
}

}  // namespace img
