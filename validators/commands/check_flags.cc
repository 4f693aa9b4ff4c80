// SPDX-License-Identifier: Apache-2.0
// From flags to a request.

#include "validators/commands/check_flags.h"

#include "builder/base/text.h"
#include "validators/commands/check_ids.h"
#include "validators/runner/cdi_devices.h"

#include <algorithm>

namespace img {
namespace {

Tier parse_tier_flag(const std::string& text) {
  if (const auto tier = parse_tier(text)) return *tier;
  const std::vector<std::string> names{"static", "container", "gpu", "multi-gpu"};
  const auto near = did_you_mean(text, names);
  throw UsageError(
      ErrorText{.message = "there is no tier '" + text + "'",
                .hint = near ? "did you mean '" + *near + "'?" : "use " + join(names, ", ")});
}

std::vector<Tier> parse_tiers(const std::vector<std::string>& texts) {
  std::vector<Tier> tiers;
  for (const std::string& text : texts) {
    const Tier tier = parse_tier_flag(text);
    if (std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) tiers.push_back(tier);
  }
  return tiers;
}

}  // namespace

void add_check_flags(CLI::App& command, CheckFlags& flags) {
  CheckRequest& request = flags.request;
  command.add_option("IMAGE", request.image, "Layout directory, OCI archive or docker archive")
      ->required();
  command.add_option("--tag", request.tag, "Which image of IMAGE");
  command.add_option("--manifest", request.manifest, "Hold the image against this manifest");
  command.add_option("--lock", request.lock, "Its lock (default: beside it)");
  command.add_option("--layers", request.recipe_folders, "More folders with recipes");
  command
      .add_option("--tier", flags.tiers, "static, container, gpu, multi-gpu; several\nwith commas")
      ->delimiter(',');
  command
      .add_option("--require-tier", flags.required,
                  "Tiers that must run: what cannot be done\nblocks (exit 3)")
      ->delimiter(',');
  command.add_option("--samples", request.cold_samples, "Fresh processes for a cold start (5)");
  command.add_flag("--cold", request.drop_page_cache,
                   "Drop the image's files from the page cache\nbefore each of them");
  command.add_option("--runtime", request.runtime, "runc, crun or a path");
  command.add_option("--bundle", request.bundle, "Folder with the probes");
  command
      .add_option("--gpus", request.gpus,
                  "GPUs in the containers: all, indices, UUIDs or\nCDI names (vendor/class=name), "
                  "with commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  command
      .add_option("--cdi-spec-dir", request.cdi_folders,
                  "Folders of CDI specifications, the last counts\nmost (/etc/cdi, /var/run/cdi)")
      ->allow_extra_args(false);
  command.add_option("-j,--jobs", flags.jobs, "Threads (default: all cores)");
  add_output_flags(command, flags.output);
}

CheckRequest request_of(const CheckFlags& flags, const Console& console) {
  CheckRequest request = flags.request;
  request.tiers = parse_tiers(flags.tiers);
  request.required = parse_tiers(flags.required);
  for (const std::string& id : request.ids) require_check(id);
  require_device_names(request.gpus);
  if (request.cold_samples < 1 || request.cold_samples > 1000) {
    throw UsageError("--samples needs a number from 1 to 1000");
  }
  if (flags.jobs < 0) throw UsageError("-j needs a positive number");
  if (!request.lock.empty() && request.manifest.empty()) {
    throw UsageError(ErrorText{.message = "'--lock' without '--manifest' has no meaning",
                               .hint = "add --manifest"});
  }
  request.threads = static_cast<unsigned>(flags.jobs);
  request.store = console.store();
  if (tiers_of(request).empty()) {
    throw UsageError(ErrorText{.message = "none of the checks belongs to one of the tiers",
                               .hint = "see 'imgcheck list'"});
  }
  return request;
}

void tell(Console& console, const Report& report, const OutputFlags& flags) {
  write_report(console, report, flags);
  if (flags.file.empty()) return;
  write_report(console, report, OutputFlags{.format = "text", .file = {}});
}

}  // namespace img
