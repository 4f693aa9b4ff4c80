// SPDX-License-Identifier: Apache-2.0
// What starts of a job cost when a GPU is billed from its first second.
#pragma once

#include "builder/base/json.h"
#include "validators/sizing/start_phases.h"

#include <optional>
#include <string>
#include <vector>

namespace img {

/// One way to come to a running job.
struct CostCase {
  std::string name;  ///< "manual", "image"
  std::vector<StartPhase> phases;
  double setup = 0, work = 0;  ///< seconds
  double billed = 0;           ///< seconds
  double price = 0;            ///< of one run

  double useful_share() const { return work / (setup + work); }
};

struct CostRequest {
  std::string gpu;
  double price_per_hour = 0;
  std::string currency, price_source;
  double billing_seconds = 1;
  double work = 0;                      ///< seconds of useful work in a run
  std::vector<StartPhase> manual;       ///< empty: there is nothing to compare with
  std::vector<StartPhase> image;        ///< empty: likewise
  double jobs_per_day = 0, days = 365;  ///< 0 jobs: nothing is said about a year
  std::optional<double> wage;           ///< of one hour of the person who waits
  std::optional<double> claimed_year;   ///< a saving that somebody claims
};

struct CostResult {
  CostRequest request;
  std::vector<CostCase> cases;        ///< manual before image
  std::optional<double> saving;       ///< of one run: manual - image
  std::optional<double> saving_year;  ///< the same, jobs × days
  std::optional<double> wage_saving;  ///< of one run: the person's time
};

/// UsageError for a request that nothing can be computed from.
CostResult compute_cost(const CostRequest& request);

std::string cost_text(const CostResult& result);
Json cost_json(const CostResult& result);

}  // namespace img
