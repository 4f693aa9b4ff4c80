// SPDX-License-Identifier: Apache-2.0
// The order of a run: image, expectations, static tier, container tier, report.

#include "validators/commands/run_checks.h"

#include "builder/base/text.h"
#include "builder/commands/recipe_folders.h"
#include "builder/fetch/store.h"
#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"
#include "validators/checks/gpu_code.h"
#include "validators/checks/static_tier.h"
#include "validators/commands/check_ids.h"
#include "validators/commands/container_run.h"
#include "validators/commands/gpu_run.h"
#include "validators/commands/machine.h"
#include "validators/image/image_facts.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

bool contains(const std::vector<Tier>& tiers, Tier tier) {
  return std::find(tiers.begin(), tiers.end(), tier) != tiers.end();
}

/// What the image is held against.
struct Promises {
  std::optional<BuildManifest> manifest;
  std::optional<LockFile> lock;
};

Promises load_promises(const CheckRequest& request) {
  Promises promises;
  if (request.manifest.empty()) return promises;
  promises.manifest = load_manifest(request.manifest, recipe_folders(request.recipe_folders));
  const fs::path path =
      request.lock.empty() ? lock_path_of(request.manifest) : fs::path(request.lock);
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw ManifestError(ErrorText{.message = "there is no lock '" + path.string() + "'",
                                  .hint = "run 'imgbuild lock " + request.manifest + "'"});
  }
  promises.lock = parse_lock(read_file(path), path.string());
  require_fresh(*promises.lock, *promises.manifest, path);
  return promises;
}

/// Title and version as annotations or labels have them: "pytorch-cuda:2.8.0".
std::string name_of(const SelectedImage& image) {
  const auto find = [&](const char* key) -> std::string {
    const std::string name = std::string("org.opencontainers.image.") + key;
    const auto annotation = image.manifest.annotations.find(name);
    if (annotation != image.manifest.annotations.end()) return annotation->second;
    const auto label = image.config.labels.find(name);
    return label == image.config.labels.end() ? "" : label->second;
  };
  const std::string title = find("title"), version = find("version");
  return title.empty() || version.empty() ? title : title + ":" + version;
}

ReportImage describe(const ImageFacts& facts) {
  ReportImage image;
  image.reference = facts.reference;
  image.manifest_digest = facts.image.manifest_descriptor.digest.str();
  image.config_digest = facts.image.manifest.config.digest.str();
  image.name = name_of(facts.image);
  for (const LayerFact& layer : facts.layers) {
    image.layers.push_back(layer.descriptor.digest.str());
    image.packed_size += layer.packed_size;
    image.unpacked_size += layer.unpacked_size;
  }
  return image;
}

std::map<std::string, std::string> facts_of(const Expectations& expectations,
                                            const ImageFacts& image) {
  std::map<std::string, std::string> facts = expectations.library_versions;
  if (!expectations.torch_version.empty()) facts["torch"] = expectations.torch_version;
  if (!expectations.torch_cuda.empty()) facts["cuda"] = expectations.torch_cuda;
  const std::string code = torch_code_of(image, expectations.torch_folder);
  if (!code.empty()) facts["gpu_code"] = code;
  facts["platform"] = to_string(image.image.config.platform);
  return facts;
}

/// Those ids of the request that belong to a tier; nullopt: none of them does.
std::optional<std::vector<std::string>> selected(const CheckRequest& request, Tier tier) {
  std::vector<std::string> ids;
  for (const std::string& id : request.ids) {
    const CheckInfo& info = require_check(id);
    if (info.tier == tier) ids.emplace_back(info.id);
  }
  if (ids.empty() && !request.ids.empty()) return std::nullopt;
  return ids;
}

void append(std::vector<CheckResult>& results, std::vector<CheckResult> more) {
  std::move(more.begin(), more.end(), std::back_inserter(results));
}

/// Adds the time since `start` to a phase of the report.
template <typename Body>
auto timed(Report& report, const std::string& phase, Body&& body) {
  const auto start = Clock::now();
  auto result = body();
  report.phases[phase] += std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

ImageFacts inspect(const CheckRequest& request, Progress& progress) {
  const Store store(request.store);
  const auto scratch = store.temp_dir("inspect");
  return inspect_image(request.image, {.tag = request.tag,
                                       .scratch = scratch->path(),
                                       .threads = request.threads,
                                       .progress = &progress});
}

}  // namespace

std::vector<Tier> tiers_of(const CheckRequest& request) {
  std::vector<Tier> wanted = request.tiers;
  wanted.insert(wanted.end(), request.required.begin(), request.required.end());
  if (wanted.empty()) wanted = {Tier::image, Tier::container};
  std::vector<Tier> tiers;
  for (const Tier tier : {Tier::image, Tier::container, Tier::gpu, Tier::multi_gpu}) {
    if (contains(wanted, tier) && selected(request, tier)) tiers.push_back(tier);
  }
  return tiers;
}

std::vector<Tier> required_tiers_of(const CheckRequest& request, const Report& report) {
  std::vector<Tier> required = request.required;
  required.insert(required.end(), request.tiers.begin(), request.tiers.end());
  for (const CheckResult& check : report.checks) {
    if (check.status != Status::skipped) required.push_back(check.tier);
  }
  return required;
}

Report run_checks(const CheckRequest& request, Progress& progress) {
  const auto start = Clock::now();
  Report report;
  report.tool_version = IMGCHECK_VERSION;
  report.started = format_rfc3339(static_cast<std::int64_t>(std::time(nullptr)));
  report.machine = this_machine();
  const std::vector<Tier> tiers = tiers_of(request);
  for (const Tier tier : tiers) report.tiers.emplace_back(to_string(tier));

  // Slips of the caller's cost no time.
  const Promises promises = load_promises(request);
  const ImageFacts image = timed(report, "inspect", [&] { return inspect(request, progress); });
  report.image = describe(image);

  const StaticInput input{.image = image,
                          .manifest = promises.manifest ? &*promises.manifest : nullptr,
                          .lock = promises.lock ? &*promises.lock : nullptr,
                          .table = builtin_compatibility()};
  const Expectations expectations = expectations_of(input);
  report.manifest_name = expectations.manifest_name;
  report.manifest_checksum = expectations.manifest_checksum;
  report.facts = facts_of(expectations, image);

  if (contains(tiers, Tier::image)) {
    append(report.checks, timed(report, "static", [&] {
             return run_static_tier(input, expectations, *selected(request, Tier::image));
           }));
  }
  if (contains(tiers, Tier::container)) {
    const bool must =
        contains(request.tiers, Tier::container) || contains(request.required, Tier::container);
    append(report.checks, run_container_tier({.request = request,
                                              .expectations = expectations,
                                              .ids = *selected(request, Tier::container),
                                              .unable = must ? Status::blocked : Status::skipped},
                                             report, progress));
  }
  for (const Tier tier : {Tier::gpu, Tier::multi_gpu}) {
    if (contains(tiers, tier)) append(report.checks, run_gpu_tier(tier, *selected(request, tier)));
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

}  // namespace img
