// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a start.

#include "validators/sizing/cost.h"

#include "builder/base/error.h"
#include "validators/sizing/prices.h"

namespace img {
namespace {

constexpr double kHour = 3600;

CostCase case_of(std::string name, const std::vector<StartPhase>& phases,
                 const CostRequest& request) {
  CostCase one{.name = std::move(name), .phases = phases, .work = request.work};
  for (const StartPhase& phase : phases) one.setup += phase.seconds;
  one.billed = billed_seconds(one.setup + one.work, request.billing_seconds);
  one.price = one.billed / kHour * request.price_per_hour;
  return one;
}

}  // namespace

CostResult compute_cost(const CostRequest& request) {
  if (request.manual.empty() && request.image.empty()) {
    throw UsageError(ErrorText{.message = "there is no start to speak of",
                               .hint = "give a report, --image TIME or --manual TIME"});
  }
  if (request.work <= 0) {
    throw UsageError(
        ErrorText{.message = "a run without work has no useful share", .hint = "give --work TIME"});
  }
  CostResult result{.request = request};
  if (!request.manual.empty()) {
    result.cases.push_back(case_of("manual", request.manual, request));
  }
  if (!request.image.empty()) result.cases.push_back(case_of("image", request.image, request));
  if (result.cases.size() < 2) return result;
  const CostCase& manual = result.cases.front();
  const CostCase& image = result.cases.back();
  result.saving = manual.price - image.price;
  if (request.jobs_per_day > 0) {
    result.saving_year = *result.saving * request.jobs_per_day * request.days;
  }
  if (request.wage) result.wage_saving = (manual.setup - image.setup) / kHour * *request.wage;
  return result;
}

}  // namespace img
