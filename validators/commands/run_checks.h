// SPDX-License-Identifier: Apache-2.0
// Checks one image: reads it, starts it where that is asked for, and makes the report.
#pragma once

#include "builder/base/file.h"
#include "builder/base/progress.h"
#include "validators/judge/finding.h"
#include "validators/report/report.h"

#include <string>
#include <vector>

namespace img {

struct CheckRequest {
  std::string image;                        ///< layout or archive
  std::string tag;                          ///< which image of it; empty: the only one
  std::string manifest;                     ///< empty: none
  std::string lock;                         ///< empty: beside the manifest
  std::vector<std::string> recipe_folders;  ///< more folders with recipes
  std::vector<Tier> tiers;       ///< asked for by name; empty: those that this machine can run
  std::vector<Tier> required;    ///< must run: what cannot is blocked instead of skipped
  std::vector<std::string> ids;  ///< of checks; empty: all of the tiers
  int cold_samples = 5;
  bool drop_page_cache = false;
  std::string runtime;                   ///< name or path; empty: the first that works
  std::string bundle;                    ///< folder with the probes; empty: the shipped one
  std::vector<std::string> gpus;         ///< devices in containers (cdi_devices.h); empty: none
  std::vector<std::string> cdi_folders;  ///< of their specifications; empty: the machine's
  unsigned threads = 0;
  fs::path store;
};

/// Which tiers the request asks for, in order: those named, those required, else static and
/// container; with ids only those of the ids.
std::vector<Tier> tiers_of(const CheckRequest& request);
/// The tiers whose blocked checks must not pass: named or required ones, and whatever has run.
std::vector<Tier> required_tiers_of(const CheckRequest& request, const Report& report);

/// One result for every check that the request asks for, whatever could not be run. Throws when
/// there is nothing to speak of: no image, an invalid or stale lock, an interrupt.
Report run_checks(const CheckRequest& request, Progress& progress);

}  // namespace img
