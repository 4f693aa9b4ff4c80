// SPDX-License-Identifier: Apache-2.0
// Carries out the plan of the container tier; what cannot be done becomes the reason of results.

#include "validators/commands/container_run.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/commands/bundle.h"
#include "builder/layout/image_layout.h"
#include "validators/judge/catalogue.h"
#include "validators/judge/container_tier.h"
#include "validators/runner/cdi_devices.h"
#include "validators/runner/runner.h"

#include <algorithm>
#include <chrono>

#include <unistd.h>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// On one line, as reports have reasons.
std::string reason_of(const Error& error) {
  const ErrorText& text = error.text();
  std::string reason = text.message;
  if (text.position) {
    reason = text.position->file + ":" + std::to_string(text.position->line) + ": " + reason;
  }
  for (const ErrorDetail& detail : text.details)
    reason += "; " + detail.label + ": " + detail.value;
  return reason + (text.hint.empty() ? "" : " (" + text.hint + ")");
}

/// Every selected check with one status and reason.
std::vector<CheckResult> all_with(const ContainerRun& run, Status status,
                                  const std::string& reason) {
  std::vector<CheckResult> results;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier != Tier::container) continue;
    const std::string id(info.id);
    if (!run.ids.empty() && std::find(run.ids.begin(), run.ids.end(), id) == run.ids.end()) {
      continue;
    }
    results.push_back(status == Status::skipped ? skipped(id, Tier::container, reason)
                                                : blocked(id, Tier::container, reason));
  }
  return results;
}

std::vector<ProbeRun> run_plan(PreparedImage& image, const std::vector<ProbeCall>& plan,
                               bool drop_page_cache, Progress& progress) {
  std::vector<ProbeRun> runs;
  for (const ProbeCall& call : plan) {
    check_interrupt();
    if (drop_page_cache && call.probe == "coldstart") image.drop_page_cache();
    auto task = progress.task("probing", call.label);
    runs.push_back(image.run(call));
    task.finish(runs.back().end == RunEnd::exited ? "" : to_string(runs.back().end));
  }
  return runs;
}

/// What the containers get of this machine's devices.
ContainerEdits edits_of(const CheckRequest& request) {
  if (request.gpus.empty()) return {};
  DeviceRequest devices{.names = request.gpus, .rootless = geteuid() != 0};
  if (!request.cdi_folders.empty()) {
    devices.folders.assign(request.cdi_folders.begin(), request.cdi_folders.end());
  }
  return edits_for_devices(devices);
}

std::vector<CheckResult> run_in_containers(const ContainerRun& run, Report& report,
                                           Progress& progress) {
  const CheckRequest& request = run.request;
  const ContainerEdits edits = edits_of(request);
  const fs::path bundle = find_bundle(request.bundle);
  const auto runtime = find_runtime(request.runtime);
  report.machine.runtime = runtime->name();

  auto start = Clock::now();
  const auto layout = LayoutReader::open(request.image);
  const SelectedImage selected = select_image(*layout, request.tag);
  PreparedImage image = PreparedImage::prepare(*layout, selected, *runtime,
                                               {.store = request.store,
                                                .bundle = bundle,
                                                .threads = request.threads,
                                                .progress = &progress,
                                                .edits = edits});
  report.phases["unpack"] = seconds_since(start);
  report.notes = image.notes();

  start = Clock::now();
  const ContainerPlanOptions options{.only = run.ids,
                                     .cold_samples = request.cold_samples,
                                     .drop_page_cache = request.drop_page_cache};
  const auto runs =
      run_plan(image, container_plan(run.expectations, options), request.drop_page_cache, progress);
  auto results = judge_container(run.expectations, options, runs);
  report.phases["container"] = seconds_since(start);
  return results;
}

}  // namespace

std::vector<CheckResult> run_container_tier(const ContainerRun& run, Report& report,
                                            Progress& progress) {
  try {
    return run_in_containers(run, report, progress);
  } catch (const InterruptedError&) {
    throw;
  } catch (const InternalError&) {
    throw;
  } catch (const InputError& error) {
    // Not the machine but the image: it must not be started, whoever asks.
    return all_with(run, Status::blocked, "the image cannot be started: " + reason_of(error));
  } catch (const IntegrityError& error) {
    return all_with(run, Status::blocked, "the image cannot be started: " + reason_of(error));
  } catch (const Error& error) {
    return all_with(run, run.unable, "no container can be started here: " + reason_of(error));
  }
}

}  // namespace img
