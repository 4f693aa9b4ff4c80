// SPDX-License-Identifier: Apache-2.0
// The gate: which checks must hold before an image may be published, and which failures are
// accepted.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "validators/judge/catalogue.h"
#include "validators/report/report.h"

#include <chrono>
#include <string>
#include <vector>

namespace img {

struct Waiver {
  std::string check;   ///< id
  std::string path;    ///< glob over Finding::path; empty: the whole check
  std::string reason;  ///< required
  std::string expiry;  ///< "2027-01-31", required: the last day on which it holds, UTC
};
struct Policy {
  std::string file;                  ///< where it was read; empty: the built-in one
  std::vector<Tier> require_tiers;   ///< every check of these must have run: blocked counts
  Severity fail_at = Severity::low;  ///< failures below are reported as warnings
  bool warnings_fail = false;
  std::vector<std::string> allow_skipped;  ///< ids that may be skipped in a required tier; "*": all
  std::vector<Waiver> waivers;
};
/// Static and container tier required, any failure denies, what does not apply may be skipped.
Policy default_policy();
/// ManifestError with file:line:col for anything that is not of the form of docs/policy.md.
Policy load_policy(const fs::path& file);
std::string policy_json_schema();

struct Verdict {
  ExitCode code = ExitCode::ok;
  bool allowed = false;
  std::vector<std::string> reasons;  ///< why not, or what was let through, one line each
};
/// Applies waivers and severities to the report's results (in place), decides, and writes the
/// verdict into the report. `today`: UTC date ("2026-11-25"), an argument so that expiry can be
/// tested. A simulated result satisfies nothing; a failure (1) wins over what could not be decided
/// (3).
Verdict decide(Report& report, const Policy& policy, const std::string& today);
/// The exit code of `check` without a policy: 1 when a check failed, 3 when a check of a required
/// tier is blocked or only simulated, when none of a required tier ran, or none at all; else 0.
ExitCode exit_code_of(const Report& report, const std::vector<Tier>& required);

}  // namespace img
