// SPDX-License-Identifier: Apache-2.0
// Costs of starts against the figures of the published example.

#include "validators/sizing/cost.h"

#include "builder/base/error.h"
#include "validators/sizing/prices.h"

#include <gtest/gtest.h>

namespace img {
namespace {

/// BERT-base, three minutes on a T4 at $0.52: twelve minutes of set-up by hand, 45 s of an image.
CostRequest example() {
  CostRequest request{.gpu = "T4", .price_per_hour = 0.52, .currency = "USD"};
  request.price_source = "example";
  request.work = 180;
  request.manual = {{.name = "set-up", .seconds = 720, .origin = "given"}};
  request.image = {{.name = "start", .seconds = 45, .origin = "given"}};
  request.jobs_per_day = 20;
  request.wage = 50;
  request.claimed_year = 7000;
  return request;
}

TEST(Cost, ReproducesTheExampleAndCorrectsItsYear) {
  const CostResult result = compute_cost(example());
  ASSERT_EQ(result.cases.size(), 2u);
  EXPECT_DOUBLE_EQ(result.cases[0].price, 0.13);
  EXPECT_DOUBLE_EQ(result.cases[1].price, 0.0325);
  EXPECT_DOUBLE_EQ(result.cases[0].useful_share(), 0.2);
  EXPECT_DOUBLE_EQ(result.cases[1].useful_share(), 0.8);
  EXPECT_DOUBLE_EQ(*result.saving, 0.0975);
  EXPECT_NEAR(*result.saving_year, 711.75, 1e-9);
  EXPECT_EQ(
      cost_text(result),
      "T4 at $0.52 an hour (example), billed by 1 s\n"
      "\n"
      "manual\n"
      "  set-up            12 min        given\n"
      "  work              3 min\n"
      "  in all            15 min        billed 15 min × $0.52 / h = $0.13\n"
      "  useful            20 %          3 min of 15 min\n"
      "\n"
      "image\n"
      "  start             45 s          given\n"
      "  work              3 min\n"
      "  in all            3 min 45 s    billed 3 min 45 s × $0.52 / h = $0.0325\n"
      "  useful            80 %          3 min of 3 min 45 s\n"
      "\n"
      "saved a run: $0.13 - $0.0325 = $0.0975, 4.0 times cheaper\n"
      "saved a year: 20 runs a day × 365 days × $0.0975 = $711.75\n"
      "waiting: 12 min of a person at $50.00 an hour = $10.00 a manual run, $9.38 of it saved\n"
      "claimed a year: $7,000.00: 9.8 times too high\n");
}

// "75 % or more" for two minutes of work after 50 s of start is 71 %.
TEST(Cost, UsefulShareOfAShortJob) {
  CostRequest request = example();
  request.manual.clear();
  request.work = 120;
  request.image = {{"scheduling", 15, "given"}, {"pull", 25, "given"}, {"init", 10, "given"}};
  const CostResult result = compute_cost(request);
  EXPECT_NEAR(result.cases.front().useful_share(), 0.71, 0.005);
  EXPECT_FALSE(result.saving);
}

TEST(Cost, BillsWholeUnits) {
  EXPECT_EQ(billed_seconds(61, 60), 120);
  EXPECT_EQ(billed_seconds(60, 60), 60);
  EXPECT_NEAR(billed_seconds(0.1 + 0.2, 0.1), 0.3, 1e-12);
}

TEST(Cost, NeedsAStartAndSomeWork) {
  CostRequest request = example();
  request.work = 0;
  EXPECT_THROW(compute_cost(request), UsageError);
  request = example();
  request.manual.clear();
  request.image.clear();
  EXPECT_THROW(compute_cost(request), UsageError);
}

Report measured() {
  Report report;
  report.image.packed_size = 3'400'000'000;
  CheckResult cold{.id = "COLD-CPU", .tier = Tier::container};
  cold.findings = {
      {.message = "container create and start", .actual = "median 0.08 s of 6"},
      {.message = "'import', warm page cache", .actual = "median 2.65 s, from 2.28 s to 2.90 s"},
      {.message = "'libtorch', warm page cache", .actual = "median 0.82 s, from 0.61 s"}};
  report.checks = {cold};
  return report;
}

TEST(StartPhases, AreTakenFromTheReport) {
  const StartPhases start = start_phases_of(measured(), 125e6);
  ASSERT_EQ(start.phases.size(), 3u);
  EXPECT_EQ(start.phases[0].name, "pull");
  EXPECT_DOUBLE_EQ(start.phases[0].seconds, 27.2);
  EXPECT_EQ(start.phases[1].name, "create and start");
  EXPECT_DOUBLE_EQ(start.phases[1].seconds, 0.08);
  EXPECT_EQ(start.phases[2].name, "import torch");
  EXPECT_DOUBLE_EQ(start.phases[2].seconds, 2.65);
  EXPECT_EQ(start.missing.size(), 1u);
}

TEST(StartPhases, WhatAStandInMeasuredDoesNotCount) {
  Report report = measured();
  report.checks.front().simulated = true;
  const StartPhases start = start_phases_of(report, std::nullopt);
  EXPECT_TRUE(start.phases.empty());
  EXPECT_EQ(start.missing.size(), 4u);
}

}  // namespace
}  // namespace img
