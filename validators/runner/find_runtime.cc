// SPDX-License-Identifier: Apache-2.0
// Looks for a runtime and proves with a tiny container that it works here, and with which limits.
#include "builder/base/error.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "validators/runner/layer_stack.h"
#include "validators/runner/oci_runtime.h"
#include "validators/runner/runtime_config.h"
#include "validators/runner/skeleton.h"

#include <fstream>

#include <unistd.h>

namespace img {
namespace {

constexpr std::uint32_t kTrialUser = 65532;
constexpr std::chrono::seconds kTrialTimeout(20);

/// "runc version 1.1.5+ds1" → "runc 1.1.5+ds1".
std::string name_with_version(const fs::path& program) {
  const std::string name = program.filename().string();
  const ProcessResult result = run_process({.argv = {program.string(), "--version"},
                                            .env = {{"PATH", "/usr/bin:/bin"}},
                                            .timeout = kTrialTimeout});
  const std::string line = printable(split(result.stdout_text, '\n').front());
  const std::size_t version = line.find(" version ");
  if (result.exit_code != 0 || version == std::string::npos) {
    throw UnavailableError(
        ErrorText{.message = "'" + program.string() + "' is no container runtime",
                  .details = {{"--version", line}},
                  .hint = "install one: apt-get install runc"});
  }
  return line.substr(0, version) + line.substr(version + std::string(" version").size());
}

/// An image with nothing in it but our first program.
class Trial {
 public:
  Trial() : folder_(fs::temp_directory_path(), "imgcheck-trial-") {
    for (const char* name : {"image", "empty", "run", "run/rootfs"}) {
      create_folders(folder_.path() / name);
    }
    make_skeleton(folder_.path() / "image", LayerStack({}), "/", Owners::ours);
  }

  ContainerEnd run(const fs::path& program, const std::string& name, const RuntimeTraits& traits) {
    ContainerStart start{
        .folder = folder_.path() / "run",
        .layers = {"../image", "../empty"},
        .id = "imgcheck-trial-" + std::to_string(getpid()) + "-" + std::to_string(++runs_),
        .limits = {.timeout = kTrialTimeout}};
    const ContainerProcess process{
        .arguments = {}, .env = {}, .uid = kTrialUser, .gid = kTrialUser};
    std::ofstream(start.folder / "config.json")
        << canonical_json(runtime_config(process, start.limits, traits));
    return OciRuntime(program, name, traits).run(start);
  }

 private:
  TempDir folder_;
  int runs_ = 0;
};

/// From the strictest down: what this machine does not have is left out, and reported.
std::vector<RuntimeTraits> traits_to_try() {
  const bool rootless = geteuid() != 0;
  std::vector<RuntimeTraits> list;
  for (const bool seccomp : {true, false}) {
    for (const bool cgroups : {true, false}) {
      // Groups are root's, unless somebody has delegated them, which nobody can be asked about.
      if (rootless && cgroups) continue;
      list.push_back({.rootless = rootless, .cgroups = cgroups, .seccomp = seccomp});
    }
  }
  return list;
}

struct Attempt {
  std::unique_ptr<Runtime> runtime;
  ErrorText problem;
};

std::string what_happened(const ContainerEnd& end) {
  if (end.kind == ContainerEnd::Kind::exited) {
    return "the container ended with code " + std::to_string(end.exit_code) +
           (end.stderr_text.empty() ? "" : ": " + printable(trim(end.stderr_text)));
  }
  return end.reason.empty() ? "the container was killed" : end.reason;
}

Attempt try_runtime(const fs::path& program) {
  const std::string name = name_with_version(program);
  Trial trial;
  Attempt attempt;
  for (const RuntimeTraits& traits : traits_to_try()) {
    const ContainerEnd end = trial.run(program, name, traits);
    if (end.kind == ContainerEnd::Kind::exited && end.exit_code == 0) {
      attempt.runtime = std::make_unique<OciRuntime>(program, name, traits);
      return attempt;
    }
    // The strictest attempt says best what is wrong.
    if (attempt.problem.message.empty()) attempt.problem = {what_happened(end), {}, {}, end.hint};
  }
  return attempt;
}

}  // namespace

std::vector<std::string> weaknesses(const RuntimeTraits& traits) {
  std::vector<std::string> list;
  if (!traits.cgroups) {
    list.push_back(
        "memory and processes are limited for each process and user only, because "
        "there are no control groups for containers here");
  }
  if (!traits.seccomp) list.push_back("system calls are not filtered: the runtime has no seccomp");
  if (traits.rootless) {
    list.push_back("containers have one user id, to which all files of the image belong");
  }
  return list;
}

std::unique_ptr<Runtime> find_runtime(const std::string& wanted) {
  std::vector<std::string> names = {"runc", "crun"};
  if (!wanted.empty()) names = {wanted};
  ErrorText failure{.message = "no container runtime works here"};
  bool found = false;
  for (const std::string& name : names) {
    const auto program = find_program(name);
    if (!program) {
      failure.details.push_back({name, "there is no such program"});
      continue;
    }
    found = true;
    Attempt attempt = try_runtime(*program);
    if (attempt.runtime) return std::move(attempt.runtime);
    failure.details.push_back({name, attempt.problem.message});
    if (failure.hint.empty()) failure.hint = attempt.problem.hint;
  }
  if (!found) failure.hint = "install one: apt-get install runc";
  throw UnavailableError(std::move(failure));
}

}  // namespace img
