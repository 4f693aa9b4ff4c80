// SPDX-License-Identifier: Apache-2.0
// Runs the plan of the container tier right here, and says why the rest is left out.
#include "validators/inside/checks_inside.h"

#include "builder/base/text.h"
#include "validators/inside/discover.h"
#include "validators/inside/run_call.h"
#include "validators/judge/catalogue.h"
#include "validators/judge/container_tier.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <thread>

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace img {
namespace {

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw UnavailableError("cannot read '" + path + "'");
  }
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Beside this program, so that a bundle can lie anywhere.
std::string bundle_folder(const InsideOptions& options) {
  std::string folder = options.bundle;
  if (folder.empty()) {
    std::string self(4096, '\0');
    const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
    self.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    folder = self.substr(0, self.rfind('/'));
  }
  if (::access((folder + "/versions").c_str(), X_OK) != 0) {
    throw UnavailableError(ErrorText{.message = "there are no probes in '" + folder + "'",
                                     .hint = "name their folder with --bundle"});
  }
  return folder;
}

Expectations expectations_here(const InsideOptions& options, Report& report) {
  std::string path = options.expectations;
  const char* const variable = std::getenv("IMGCHECK_EXPECTATIONS");
  if (path.empty() && variable != nullptr) path = variable;
  if (!path.empty()) return parse_expectations(read_whole(path), path);
  report.notes.emplace_back("no expectations were given: nothing is held against a promise");
  return discover_expectations();
}

ReportMachine machine_here() {
  ReportMachine machine;
  utsname names{};
  if (::uname(&names) == 0) {
    machine.kernel = std::string(names.sysname) + " " + names.release;
    machine.architecture = names.machine;
  }
  std::ifstream processors("/proc/cpuinfo");
  std::string line;
  while (machine.cpu.empty() && std::getline(processors, line)) {
    const std::size_t colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos) {
      machine.cpu = std::string(trim(line.substr(colon + 1)));
    }
  }
  machine.cores = std::thread::hardware_concurrency();
  struct sysinfo info {};
  if (::sysinfo(&info) == 0) machine.memory = std::uint64_t{info.totalram} * info.mem_unit;
  return machine;
}

bool is_wanted(const InsideOptions& options, std::string_view id) {
  return options.checks.empty() ||
         std::find(options.checks.begin(), options.checks.end(), id) != options.checks.end();
}

/// The tiers that this program cannot do are listed, so that no reader takes them for done.
void add_skipped(const InsideOptions& options, Report& report) {
  for (const CheckInfo& check : catalogue()) {
    if (check.tier == Tier::container || !is_wanted(options, check.id)) continue;
    const char* const reason =
        check.tier == Tier::image
            ? "needs the layers of the image, which a container does not have: run 'imgcheck check'"
            : "this version of imgcheck-inside has no checks for GPUs";
    report.checks.push_back(skipped(std::string(check.id), check.tier, reason));
  }
}

void add_facts(const Expectations& expectations, Report& report) {
  report.manifest_name = expectations.manifest_name;
  report.manifest_checksum = expectations.manifest_checksum;
  report.facts = expectations.library_versions;
  if (!expectations.torch_version.empty()) report.facts["torch"] = expectations.torch_version;
  if (!expectations.torch_cuda.empty()) report.facts["cuda"] = expectations.torch_cuda;
}

/// No container is started here: what was measured is the start of the probe's process.
void rename_start(Report& report) {
  for (CheckResult& check : report.checks) {
    for (Finding& finding : check.findings) {
      if (finding.message == "container create and start") {
        finding.message = "start of the probe's process";
      }
    }
  }
}

}  // namespace

Report check_inside(const InsideOptions& options,
                    const std::function<void(const std::string&)>& progress) {
  const auto start = std::chrono::steady_clock::now();
  Report report;
  report.tool_version = IMGCHECK_VERSION;
  report.started = format_rfc3339(static_cast<std::int64_t>(std::time(nullptr)));
  report.machine = machine_here();
  report.tiers = {std::string(to_string(Tier::container))};
  report.image.manifest_digest = options.image_digest;

  const std::string bundle = bundle_folder(options);
  const Expectations expectations = expectations_here(options, report);
  add_facts(expectations, report);
  const ContainerPlanOptions plan_options{
      .only = options.checks,
      .cold_samples = options.cold_samples,
      .library_path = std::getenv("LD_LIBRARY_PATH") != nullptr};
  std::vector<ProbeRun> runs;
  for (const ProbeCall& call : container_plan(expectations, plan_options)) {
    if (is_pointless(call, runs)) continue;
    progress(call.label);
    runs.push_back(run_call(bundle, call));
  }
  report.checks = judge_container(expectations, plan_options, runs);
  rename_start(report);
  add_skipped(options, report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

ExitCode exit_code_inside(const Report& report) {
  bool ran = false;
  bool blocked = false;
  for (const CheckResult& check : report.checks) {
    if (check.status == Status::fail) return ExitCode::difference;
    blocked = blocked || check.status == Status::blocked;
    ran = ran || check.status == Status::pass || check.status == Status::warn;
  }
  return ran && !blocked ? ExitCode::ok : ExitCode::unavailable;
}

}  // namespace img
