// SPDX-License-Identifier: Apache-2.0
// Judges Python in the image: imports, pip's own view, an unknown user, torch.compile.
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace img {
namespace {

/// Modules that their own distribution ships and that cannot be imported by anyone. Each with the
/// reason, so that a reader can tell an exception from a hole.
struct KnownBroken {
  std::string_view distribution, module, reason;
};
constexpr std::array<KnownBroken, 3> kKnownBroken{{
    {"torch", "torchgen", "needs 'yaml', which torch does not require: a tool for building torch"},
    {"triton", "triton.profiler", "needs 'pandas' and 'hatchet', which triton does not require"},
    {"sympy", "isympy", "a console that needs a terminal"},
}};

const KnownBroken* known_broken(std::string_view distribution, std::string_view module) {
  for (const KnownBroken& one : kKnownBroken) {
    if (one.distribution == distribution && one.module == module) return &one;
  }
  return nullptr;
}

void judge_import(const Json& event, std::size_t& good, Judgement& judgement) {
  const std::string distribution = text_or(event, "distribution", "");
  const std::string module = text_or(event, "module", "");
  if (flag_of(event, "ok").value_or(false)) {
    ++good;
    // Many packages warn of what their next release brings; torch only of what is wrong here.
    const std::string warning = text_or(event, "warning", "");
    if (module == "torch" && !warning.empty()) {
      judgement.warn("'import torch' works and warns", warning);
    }
    return;
  }
  const std::string error = text_or(event, "error", "no reason given");
  if (const KnownBroken* const known = known_broken(distribution, module)) {
    judgement.pass("'" + module + "' of '" + distribution +
                       "' is known not to import: " + std::string(known->reason),
                   error);
    return;
  }
  judgement.fail("'import " + module + "' of '" + distribution + "' fails", error);
}

/// A package of the lock that Python does not find, or finds in another version.
void judge_packages(const ContainerInput& input, const ProbeRun& run, Judgement& judgement) {
  std::map<std::string, std::string> found;
  for (const Json* event : events_named(run, "package")) {
    found[text_or(*event, "name", "")] = text_or(*event, "version", "");
  }
  for (const ExpectedPackage& package : input.expectations.packages) {
    const auto installed = found.find(package.name);
    if (installed != found.end() && installed->second == package.version) continue;
    judgement.findings.push_back(
        {.status = Status::fail,
         .message = installed == found.end()
                        ? "Python does not find '" + package.name + "'"
                        : "Python finds another version of '" + package.name + "'",
         .expected = package.version,
         .actual = installed == found.end() ? "" : installed->second,
         .source = "lock"});
  }
  if (found.empty()) judgement.blocked = "the probe found no Python package";
}

/// The one "python" event that says how a mode ended; nullptr when there is none.
const Json* outcome_of(const ProbeRun& run, Judgement& judgement) {
  const std::vector<const Json*> events = events_named(run, "outcome");
  if (events.empty()) {
    judgement.blocked = "probe run '" + run.label + "' does not say how it ended";
    return nullptr;
  }
  return events.front();
}

}  // namespace

Judgement judge_imports(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "python:import");
  if (run == nullptr) return judgement;
  judge_children(*run, "importing modules", judgement);
  judge_packages(input, *run, judgement);
  std::size_t good = 0;
  for (const Json* event : events_named(*run, "import")) judge_import(*event, good, judgement);
  if (good > 0) {
    judgement.pass(std::to_string(good) + " modules can be imported, each in a process of its own");
  } else if (judgement.blocked.empty()) {
    judgement.blocked = "the probe imported nothing";
  }
  return judgement;
}

Judgement judge_pip_check(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "python:pip-check");
  if (run == nullptr) return judgement;
  const Json* const outcome = outcome_of(*run, judgement);
  if (outcome == nullptr) return judgement;
  if (!flag_of(*outcome, "available").value_or(true)) {
    judgement.skipped = "there is no pip in the image";
    return judgement;
  }
  const std::string output = text_or(*outcome, "output", "");
  if (flag_of(*outcome, "ok").value_or(false)) {
    judgement.pass("'pip check' finds every requirement met", output);
  } else {
    judgement.fail("'pip check' finds requirements that are not met", output);
  }
  return judgement;
}

Judgement judge_no_user(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "python:nouser");
  if (run == nullptr) return judgement;
  const std::vector<const Json*> circumstances = events_named(*run, "circumstances");
  if (circumstances.empty()) {
    judge_children(*run, "Python as an unknown user", judgement);
    judgement.blocked = "the probe does not say as whom it ran";
    return judgement;
  }
  const Json& who = *circumstances.front();
  const bool has_entry = flag_of(who, "passwd_entry").value_or(true);
  const bool writable = flag_of(who, "root_writable").value_or(true);
  // Where the circumstances are not those of the check, its end would prove nothing about them.
  if (has_entry || writable) {
    judgement.skipped =
        has_entry ? "the process has a passwd entry here" : "the root file system is writable here";
    return judgement;
  }
  judge_children(*run, "Python as an unknown user", judgement);
  const std::string uid = "uid " + std::to_string(integer_of(who, "uid").value_or(-1));
  std::size_t steps = 0;
  for (const Json* event : events_named(*run, "step")) {
    ++steps;
    const std::string name = text_or(*event, "name", "");
    if (flag_of(*event, "ok").value_or(false)) {
      judgement.pass("'" + name + "' works as " + uid + " on a read-only root",
                     text_or(*event, "value", ""));
    } else if (flag_of(*event, "advice").value_or(false)) {
      judgement.warn("'" + name + "' fails as " + uid, text_or(*event, "error", ""));
    } else {
      judgement.fail("'" + name + "' fails as " + uid + " on a read-only root",
                     text_or(*event, "error", ""));
    }
  }
  if (steps == 0) judgement.blocked = "the probe tried nothing";
  return judgement;
}

Judgement judge_compile(const ContainerInput& input) {
  Judgement judgement;
  const ProbeRun* const run = usable_run(input, "python:compile");
  if (run == nullptr) return judgement;
  judge_children(*run, "'torch.compile'", judgement);
  const Json* const outcome = outcome_of(*run, judgement);
  if (outcome == nullptr) return judgement;
  const double seconds = number_of(*outcome, "seconds").value_or(-1);
  const std::optional<double> error = number_of(*outcome, "max_error");
  if (!flag_of(*outcome, "ok").value_or(false)) {
    judgement.fail("'torch.compile' does not work", text_or(*outcome, "output", ""));
  } else if (!error || !(*error >= 0) || *error > 1e-5) {
    judgement.fail("a compiled function gives other values than the plain one",
                   error ? std::to_string(*error) : "no number");
  } else if (integer_of(*outcome, "compiled").value_or(0) < 1) {
    judgement.fail("'torch.compile' ran the function without compiling it");
  } else {
    judgement.pass(
        "'torch.compile' compiles for the CPU, and the values are those of the plain "
        "function",
        time_text(seconds));
  }
  return judgement;
}

}  // namespace img
