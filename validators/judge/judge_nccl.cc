// SPDX-License-Identifier: Apache-2.0
// Judges NCCL's all-reduce: every element of every rank, the formula, the bandwidth at the plateau.
#include "builder/base/text.h"
#include "validators/judge/gpu_checks.h"
#include "validators/judge/gpu_tier.h"
#include "validators/judge/nccl_floors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <set>
#include <utility>

namespace img {
namespace {

bool near(double left, double right) {
  return std::abs(left - right) <= 1e-6 * std::max(std::abs(left), std::abs(right));
}

std::string gigabytes(double value) {
  if (!(value >= 0) || value > 1e6) return "an impossible bandwidth";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f GB/s", value);
  return text.data();
}

struct Measured {
  std::int64_t ranks = 0, nodes = 1, bytes = 0;
  double seconds = 0, p99 = 0, algorithm = 0, bus = 0;  ///< bandwidths in GB/s
  std::string how;                                      ///< "NVLS, SIMPLE"
};

/// Nothing when a figure is missing or does not follow from the others.
std::optional<Measured> measured_of(const Json& event) {
  Measured one;
  one.ranks = integer_of(event, "ranks").value_or(0);
  one.nodes = integer_of(event, "nodes").value_or(1);
  one.bytes = integer_of(event, "bytes").value_or(0);
  one.seconds = number_of(event, "seconds_median").value_or(0);
  one.p99 = number_of(event, "seconds_p99").value_or(0);
  one.algorithm = number_of(event, "algorithm_bandwidth").value_or(-1) / 1e9;
  one.bus = number_of(event, "bus_bandwidth").value_or(-1) / 1e9;
  one.how = text_or(event, "algorithm", "") + ", " + text_or(event, "protocol", "");
  if (one.how == ", ") one.how = "NCCL's log does not say how";
  if (one.ranks < 2 || one.bytes <= 0 || one.seconds <= 0) return std::nullopt;
  const auto n = static_cast<double>(one.ranks);
  const double algorithm = static_cast<double>(one.bytes) / one.seconds / 1e9;
  if (!near(one.algorithm, algorithm) || !near(one.bus, algorithm * 2 * (n - 1) / n)) {
    return std::nullopt;
  }
  return one;
}

/// Sizes are binary here, as everywhere in NCCL; bandwidths are decimal.
std::string size_text(std::int64_t bytes) {
  constexpr std::array<std::pair<std::int64_t, const char*>, 3> kUnits{
      {{1ll << 30, " GiB"}, {1ll << 20, " MiB"}, {1ll << 10, " KiB"}}};
  for (const auto& [unit, name] : kUnits) {
    if (bytes % unit == 0) return std::to_string(bytes / unit) + name;
  }
  return std::to_string(bytes) + " bytes";
}

std::string microseconds(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f us", seconds * 1e6);
  return text.data();
}

/// The bandwidth at the largest size against what is known, or promised.
void judge_plateau(const ContainerInput& input, const Measured& plateau, const std::string& gpu,
                   const std::string& label, Judgement& judgement) {
  const std::string what = "bus bandwidth of " + std::to_string(plateau.ranks) + " ranks at " +
                           size_text(plateau.bytes) + " in '" + label + "'";
  const std::string actual = gigabytes(plateau.bus) + " (" + plateau.how + ")";
  double lowest = 0;
  std::string expected, source;
  if (input.expectations.all_reduce_gigabytes) {
    lowest = *input.expectations.all_reduce_gigabytes;
    expected = "at least " + gigabytes(lowest);
    source = "manifest";
  } else if (const BandwidthReference* const known = find_reference(
                 gpu, static_cast<int>(plateau.ranks), static_cast<int>(plateau.nodes),
                 static_cast<std::uint64_t>(plateau.bytes))) {
    lowest = known->bus_gigabytes * kBandwidthMargin;
    expected =
        "at least " + gigabytes(lowest) + ", nine tenths of " + gigabytes(known->bus_gigabytes);
    source = std::string(known->source);
  } else {
    judgement.warn("no bandwidth is known to hold this against: " + what + " on '" + gpu + "'",
                   actual);
    return;
  }
  const bool enough = plateau.bus >= lowest;
  judgement.findings.push_back({.status = enough ? Status::pass : Status::fail,
                                .message = what + (enough ? "" : " is too low"),
                                .expected = expected,
                                .actual = actual,
                                .source = source});
}

/// Elements of all ranks of this machine; the ranks that said something.
std::set<std::int64_t> judge_ranks(const ProbeRun& run, Judgement& judgement) {
  std::set<std::int64_t> ranks;
  std::int64_t elements = 0;
  for (const Json* event : events_named(run, "rank")) {
    const std::int64_t rank = integer_of(*event, "rank").value_or(-1);
    const std::int64_t checked = integer_of(*event, "elements").value_or(0);
    const std::int64_t wrong = integer_of(*event, "wrong").value_or(-1);
    ranks.insert(rank);
    if (checked <= 0 || wrong != 0) {
      judgement.fail("rank " + std::to_string(rank) + " has wrong sums at " +
                         size_text(integer_of(*event, "bytes").value_or(-1)) + " in '" + run.label +
                         "'",
                     std::to_string(wrong) + " of " + std::to_string(checked));
    } else {
      elements += std::min<std::int64_t>(checked, 1ll << 40);
    }
  }
  if (elements > 0) {
    judgement.pass("every element of " + std::to_string(ranks.size()) + " ranks is right in '" +
                       run.label + "'",
                   with_commas(static_cast<std::uint64_t>(elements)) + " elements");
  }
  return ranks;
}

void judge_run(const ContainerInput& input, const ProbeRun& run, const std::string& gpu,
               Judgement& judgement) {
  for (const Json* event : events_named(run, "failure")) {
    judgement.fail("the all-reduce does not work in '" + run.label + "'",
                   text_or(*event, "error", ""));
  }
  // After what the ranks say themselves: their words are the cause, their end is not.
  judge_children(run, "a rank of the all-reduce", judgement);
  const std::set<std::int64_t> ranks = judge_ranks(run, judgement);
  std::vector<Measured> all;
  for (const Json* event : events_named(run, "result")) {
    if (auto one = measured_of(*event)) {
      all.push_back(std::move(*one));
    } else {
      judgement.fail("the bandwidths do not follow from bytes, time and ranks in '" + run.label +
                     "'");
    }
  }
  const bool speaks_for_all = ranks.contains(0);
  if (ranks.empty()) {
    judgement.blocked = "no rank came to a result in '" + run.label + "'";
  } else if (speaks_for_all && all.size() < 2) {
    judgement.blocked = "no latency and no plateau in '" + run.label + "'";
  }
  if (all.empty()) return;
  const auto [least, most] =
      std::minmax_element(all.begin(), all.end(),
                          [](const Measured& a, const Measured& b) { return a.bytes < b.bytes; });
  judgement.pass("latency at " + size_text(least->bytes) + " in '" + run.label + "'",
                 "median " + microseconds(least->seconds) + ", p99 " + microseconds(least->p99));
  judge_plateau(input, *most, gpu, run.label, judgement);
}

}  // namespace

Judgement judge_nccl_all_reduce(const ContainerInput& input) {
  Judgement judgement;
  const GpuState state = read_gpu_state(find_run(input.runs, kGpuStateCall));
  if (state.devices.size() == 1 && !input.options.one_of_many) {
    judgement.skipped = "there is one GPU: an all-reduce needs two";
    return judgement;
  }
  std::set<std::string> names;
  for (const GpuDevice& device : state.devices) names.insert(device.name);
  for (const ProbeRun* run : usable_runs(input, "nccl_allreduce")) {
    for (const Json* event : events_named(*run, "library")) {
      if (text_or(*event, "library", "") != "nccl") continue;
      if (text_or(*event, "path", "").empty()) {
        judgement.skipped = "there is no NCCL in the image";
        return judgement;
      }
    }
    // Different GPUs have no common reference.
    judge_run(input, *run, names.size() == 1 ? *names.begin() : "different GPUs", judgement);
  }
  return judgement;
}

}  // namespace img
