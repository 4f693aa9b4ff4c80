// SPDX-License-Identifier: Apache-2.0
// Judges attention on the CPU: every case of the grid ran and is as near to the reference as its
// type allows.
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

namespace img {
namespace {

/// Largest absolute error that counts as right, for inputs of unit variance. Six to eight
/// times what torch shows: a wrong mask, scale or stride gives errors near 1.
struct Tolerance {
  std::string_view type;
  double error;
};
constexpr std::array<Tolerance, 4> kTolerances{{
    {"float64", 1e-13},
    {"float32", 1e-5},
    {"float16", 2e-2},
    {"bfloat16", 6e-2},
}};

std::string scientific(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2e", value);
  return text.data();
}

struct Tally {
  std::uint64_t right = 0;
  double worst = 0;
};

/// The features that a grid must have covered before "all right" means something.
void note_features(const Json& event, std::set<std::string>& features) {
  features.insert(text_or(event, "type", ""));
  for (const char* feature : {"causal", "mask", "scale", "strided"}) {
    if (flag_of(event, feature).value_or(false)) features.insert(feature);
  }
}

void judge_case(const Json& event, std::map<std::string, Tally>& tallies, Judgement& judgement) {
  const std::string name = text_or(event, "name", "a case without a name");
  const std::string type = text_or(event, "type", "");
  const auto tolerance = std::find_if(kTolerances.begin(), kTolerances.end(),
                                      [&](const Tolerance& one) { return one.type == type; });
  if (tolerance == kTolerances.end()) {
    judgement.fail("case '" + name + "' is of an unknown type", type);
    return;
  }
  const std::optional<std::int64_t> rc = integer_of(event, "rc");
  if (rc != 0) {
    judgement.fail("case '" + name + "' does not run",
                   text_or(event, "error", rc ? "return code " + std::to_string(*rc) : "no code"));
    return;
  }
  const std::int64_t elements = integer_of(event, "elements").value_or(0);
  const std::int64_t not_finite = integer_of(event, "not_finite").value_or(-1);
  const std::optional<double> error = number_of(event, "max_error");
  if (elements <= 0 || not_finite != 0 || !error || *error < 0) {
    judgement.fail("case '" + name + "' gives values that are no numbers",
                   std::to_string(not_finite) + " of " + std::to_string(elements));
    return;
  }
  if (*error > tolerance->error) {
    judgement.findings.push_back({.status = Status::fail,
                                  .message = "case '" + name + "' gives wrong values",
                                  .expected = "error at most " + scientific(tolerance->error),
                                  .actual = scientific(*error),
                                  .source = "own reference in double precision"});
    return;
  }
  Tally& tally = tallies[text_or(event, "route", "") + ", " + type];
  tally.right += 1;
  tally.worst = std::max(tally.worst, *error);
}

std::string backend_name(std::int64_t backend) {
  constexpr std::array<std::string_view, 5> kNames{"math", "flash", "efficient", "cudnn",
                                                   "overrideable"};
  if (backend < 0 || backend >= static_cast<std::int64_t>(kNames.size())) return "unknown";
  return std::string(kNames[static_cast<std::size_t>(backend)]);
}

/// What the dispatcher would take; evidence only, since math is a right answer on a CPU.
void note_choices(const ProbeRun& run, Judgement& judgement) {
  for (const Json* event : events_named(run, "choice")) {
    const std::optional<std::int64_t> backend = integer_of(*event, "backend");
    const std::string name = text_or(*event, "name", "");
    if (integer_of(*event, "rc") != 0 || !backend) {
      judgement.warn("the dispatcher does not say what it chooses for '" + name + "'",
                     text_or(*event, "error", ""));
    } else {
      judgement.pass("the dispatcher's choice for '" + name + "'", backend_name(*backend));
    }
  }
  for (const Json* event : events_named(run, "missing")) {
    judgement.pass("not asked: this torch has no '" + text_or(*event, "symbol", "") + "'",
                   text_or(*event, "consequence", ""));
  }
}

}  // namespace

Judgement judge_cpu_attention(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "sdpa");
  if (run == nullptr) return judgement;
  judge_children(*run, "attention on the CPU", judgement);
  for (const Json* event : events_named(*run, "open")) {
    if (flag_of(*event, "ok").value_or(false)) continue;
    judgement.fail("torch cannot be loaded", text_or(*event, "error", ""),
                   text_or(*event, "path", ""));
    return judgement;
  }
  std::map<std::string, Tally> tallies;
  std::set<std::string> features;
  for (const Json* event : events_named(*run, "case")) {
    note_features(*event, features);
    judge_case(*event, tallies, judgement);
  }
  for (const auto& [kind, tally] : tallies) {
    judgement.pass(std::to_string(tally.right) + " cases are right (" + kind + ")",
                   "largest error " + scientific(tally.worst));
  }
  note_choices(*run, judgement);
  if (features.empty()) {
    if (!events_named(*run, "missing").empty() && worst_of(judgement.findings) != Status::fail) {
      judgement.skipped = "this torch has no C entry point for attention on the CPU";
    } else {
      judgement.blocked = "the probe computed no attention";
    }
    return judgement;
  }
  for (const char* wanted :
       {"float32", "float64", "float16", "bfloat16", "causal", "mask", "scale", "strided"}) {
    if (features.contains(wanted)) continue;
    judgement.blocked = std::string("the grid of cases has none with '") + wanted + "'";
  }
  return judgement;
}

}  // namespace img
