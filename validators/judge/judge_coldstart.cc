// SPDX-License-Identifier: Apache-2.0
// Judges the cold start on the CPU: medians of fresh processes against the promised limit.
#include "builder/base/text.h"
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <array>
#include <map>

namespace img {
namespace {

struct Phase {
  std::vector<double> seconds, cpu_seconds;
  std::int64_t major_faults = 0, read_bytes = 0;
};

void judge_sample(const ProbeRun& run, const Json& event, std::map<std::string, Phase>& phases,
                  Judgement& judgement) {
  const std::string name = text_or(event, "phase", "");
  const std::optional<double> seconds = number_of(event, "seconds");
  if (!flag_of(event, "ok").value_or(false) || !seconds || *seconds <= 0) {
    judgement.fail("the phase '" + name + "' of a cold start fails in '" + run.label + "'",
                   text_or(event, "error", ""));
    return;
  }
  Phase& phase = phases[name];
  phase.seconds.push_back(*seconds);
  if (const auto cpu = number_of(event, "cpu_seconds")) phase.cpu_seconds.push_back(*cpu);
  // Largest, not sum: lies may be huge, and one sample is what a start costs.
  phase.major_faults = std::max(phase.major_faults, integer_of(event, "major_faults").value_or(0));
  phase.read_bytes = std::max(phase.read_bytes, integer_of(event, "read_bytes").value_or(0));
}

std::string spread_text(const Phase& phase) {
  const auto [least, most] = std::minmax_element(phase.seconds.begin(), phase.seconds.end());
  std::string text = "median " + time_text(median_of(phase.seconds)) + ", from " +
                     time_text(*least) + " to " + time_text(*most) + " in " +
                     std::to_string(phase.seconds.size()) + " samples";
  if (!phase.cpu_seconds.empty()) {
    text += ", " + time_text(median_of(phase.cpu_seconds)) + " of CPU";
  }
  if (phase.read_bytes > 0) {
    text += ", up to " + human_size(static_cast<std::uint64_t>(phase.read_bytes)) +
            " read from storage";
  }
  return text;
}

void judge_phase(const ContainerInput& input, const std::string& name, const Phase& phase,
                 Judgement& judgement) {
  const std::string page_cache = input.options.drop_page_cache ? "cold" : "warm";
  const std::string what = "'" + name + "', " + page_cache + " page cache";
  const std::optional<double> limit = input.expectations.import_torch_seconds;
  // The promise is about a warm page cache: how fast storage is says nothing about the image.
  if (name != "import" || !limit || input.options.drop_page_cache) {
    judgement.pass(what, spread_text(phase));
    return;
  }
  const bool kept = median_of(phase.seconds) <= *limit;
  judgement.findings.push_back({.status = kept ? Status::pass : Status::fail,
                                .message = what + (kept ? "" : " takes longer than promised"),
                                .expected = "median at most " + time_text(*limit),
                                .actual = spread_text(phase),
                                .source = "manifest"});
}

std::string count_text(const Json& event, const char* key) {
  const std::int64_t count = integer_of(event, key).value_or(-1);
  return count < 0 ? "an unknown number of" : with_commas(static_cast<std::uint64_t>(count));
}

std::string size_text(const Json& event, const char* key) {
  const std::int64_t size = integer_of(event, key).value_or(-1);
  return size < 0 ? "an unknown size" : human_size(static_cast<std::uint64_t>(size));
}

void judge_detail(const Json& event, Judgement& judgement) {
  judgement.pass("what 'import torch' opens",
                 count_text(event, "modules") + " modules, " + count_text(event, "opened") +
                     " files, " + count_text(event, "failed_opens") + " that are not there");
  judgement.pass("what 'import torch' maps", count_text(event, "mapped_files") + " files of " +
                                                 size_text(event, "mapped_bytes") + ", " +
                                                 size_text(event, "resident_bytes") +
                                                 " of them resident");
  const std::int64_t missing = integer_of(event, "missing_bytecode").value_or(-1);
  if (missing > 0) {
    judgement.warn("modules are compiled at every start because their bytecode is missing",
                   std::to_string(missing) + " modules, for instance '" +
                       text_or(event, "missing_example", "?") + "'");
  } else if (missing == 0) {
    judgement.pass("every module that 'import torch' loads has its bytecode");
  }
}

void judge_loader(const Json& event, Judgement& judgement) {
  judgement.pass("what the loader tries for 'import torch'",
                 count_text(event, "tries") + " files, " + count_text(event, "misses") +
                     " that are not there");
}

}  // namespace

Judgement judge_cold_start(const ContainerInput& input) {
  Judgement judgement;
  std::map<std::string, Phase> phases;
  std::vector<double> starts;
  for (const ProbeRun* run : usable_runs(input, "coldstart")) {
    if (run->start_seconds > 0) starts.push_back(run->start_seconds);
    judge_children(*run, "'import torch' under observation", judgement);
    for (const Json* event : events_named(*run, "sample")) {
      judge_sample(*run, *event, phases, judgement);
    }
    for (const Json* event : events_named(*run, "detail")) judge_detail(*event, judgement);
    for (const Json* event : events_named(*run, "loader")) judge_loader(*event, judgement);
  }
  if (!starts.empty()) {
    judgement.pass("container create and start", "median " + time_text(median_of(starts)) + " of " +
                                                     std::to_string(starts.size()));
  }
  for (const auto& [name, phase] : phases) judge_phase(input, name, phase, judgement);

  const auto samples = static_cast<std::size_t>(std::max(1, input.options.cold_samples));
  const bool enough =
      !phases.empty() && std::all_of(phases.begin(), phases.end(), [&](const auto& entry) {
        return entry.second.seconds.size() >= samples;
      });
  if (!enough) {
    judgement.blocked = "fewer than " + std::to_string(samples) + " samples of a cold start";
  }
  return judgement;
}

}  // namespace img
