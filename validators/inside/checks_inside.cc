// SPDX-License-Identifier: Apache-2.0
// Runs the plans of the container and GPU tiers right here, and says why the rest is left out.
#include "validators/inside/checks_inside.h"

#include "builder/base/text.h"
#include "validators/inside/discover.h"
#include "validators/inside/run_call.h"
#include "validators/judge/catalogue.h"
#include "validators/judge/container_tier.h"
#include "validators/judge/event_reader.h"
#include "validators/judge/gpu_tier.h"

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

/// The tier that this program cannot do is listed, so that no reader takes it for done.
void add_skipped(const InsideOptions& options, Report& report) {
  for (const CheckInfo& check : catalogue()) {
    if (check.tier != Tier::image || !is_wanted(options, check.id)) continue;
    report.checks.push_back(skipped(
        std::string(check.id), check.tier,
        "needs the layers of the image, which a container does not have: run 'imgcheck check'"));
  }
}

/// torchrun and its like start many of us, each with its rank.
bool is_one_of_many() {
  const char* const ranks = std::getenv("WORLD_SIZE");
  const char* const master = std::getenv("MASTER_ADDR");
  return master != nullptr && ranks != nullptr && std::atoi(ranks) > 1;
}

void add_gpus(const ProbeRun& state, Report& report) {
  for (const Json* device : events_named(state, "device")) {
    report.machine.gpus.push_back(text_or(*device, "name", "unknown"));
  }
  for (const Json* driver : events_named(state, "driver")) {
    report.machine.driver = text_or(*driver, "version", "");
  }
}

/// The rest of the plan is not run where the first call finds no GPU.
void run_gpu_tiers(const std::string& bundle, const Expectations& expectations,
                   const ContainerPlanOptions& plan_options,
                   const std::function<void(const std::string&)>& progress, Report& report) {
  std::vector<ProbeRun> runs;
  for (const ProbeCall& call : gpu_plan(expectations, plan_options)) {
    if (!runs.empty() && !why_no_gpu(runs.front()).empty()) break;
    progress(call.label);
    runs.push_back(run_call(bundle, call));
  }
  if (runs.empty()) return;
  add_gpus(runs.front(), report);
  for (CheckResult& result : judge_gpu(expectations, plan_options, runs)) {
    report.checks.push_back(std::move(result));
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
  for (const Tier tier : {Tier::container, Tier::gpu, Tier::multi_gpu}) {
    report.tiers.emplace_back(to_string(tier));
  }
  report.image.manifest_digest = options.image_digest;

  const std::string bundle = bundle_folder(options);
  const Expectations expectations = expectations_here(options, report);
  add_facts(expectations, report);
  const ContainerPlanOptions plan_options{.only = options.checks,
                                          .cold_samples = options.cold_samples,
                                          .library_path = std::getenv("LD_LIBRARY_PATH") != nullptr,
                                          .one_of_many = is_one_of_many()};
  std::vector<ProbeRun> runs;
  for (const ProbeCall& call : container_plan(expectations, plan_options)) {
    if (is_pointless(call, runs)) continue;
    progress(call.label);
    runs.push_back(run_call(bundle, call));
  }
  report.checks = judge_container(expectations, plan_options, runs);
  rename_start(report);
  run_gpu_tiers(bundle, expectations, plan_options, progress, report);
  add_skipped(options, report);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

ExitCode exit_code_inside(const Report& report, const InsideOptions& options) {
  const auto is_gpu = [](const CheckResult& check) {
    return check.tier == Tier::gpu || check.tier == Tier::multi_gpu;
  };
  const bool only_gpu = std::all_of(report.checks.begin(), report.checks.end(), is_gpu);
  bool ran = false;
  bool missing = false;
  for (const CheckResult& check : report.checks) {
    if (check.status == Status::fail) return ExitCode::difference;
    const bool good = check.status == Status::pass || check.status == Status::warn;
    const bool required = !is_gpu(check) || only_gpu || !report.machine.gpus.empty() ||
                          std::find(options.required.begin(), options.required.end(), check.tier) !=
                              options.required.end();
    missing =
        missing || (required && (check.status == Status::blocked || (good && check.simulated)));
    ran = ran || (good && !check.simulated);
  }
  return ran && !missing ? ExitCode::ok : ExitCode::unavailable;
}

}  // namespace img
