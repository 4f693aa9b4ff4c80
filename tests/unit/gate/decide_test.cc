// SPDX-License-Identifier: Apache-2.0
// The gate: what denies, what cannot be decided, what is let through and until when.
#include "validators/gate/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kToday = "2026-11-25";

CheckResult passed(std::string_view id) {
  const CheckInfo* const info = find_check(id);
  CheckResult check{.id = std::string(id), .tier = info->tier, .status = Status::pass};
  check.findings = {{.status = Status::pass, .message = "looked at"}};
  return check;
}

/// Every check of the static tier, passed.
Report good_report() {
  Report report;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier == Tier::image) report.checks.push_back(passed(info.id));
  }
  return report;
}

CheckResult& check_of(Report& report, std::string_view id) {
  for (CheckResult& check : report.checks) {
    if (check.id == id) return check;
  }
  throw std::logic_error("no such check");
}

void fail(Report& report, std::string_view id, const std::vector<std::string>& paths = {""}) {
  std::vector<Finding> findings;
  for (const std::string& path : paths) {
    findings.push_back({.status = Status::fail, .message = "it is wrong", .path = path});
  }
  check_of(report, id) = conclude(std::string(id), find_check(id)->tier, findings);
}

void set(Report& report, std::string_view id, Status status, const std::string& reason) {
  CheckResult& check = check_of(report, id);
  check.status = status;
  check.reason = reason;
}

Policy static_policy() { return {.file = "p.yaml", .require_tiers = {Tier::image}}; }

TEST(Gate, AllowsWhenEveryRequiredCheckPasses) {
  Report report = good_report();
  const Verdict verdict = decide(report, static_policy(), kToday);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_EQ(verdict.code, ExitCode::ok);
  EXPECT_THAT(verdict.reasons, IsEmpty());
  ASSERT_TRUE(report.verdict);
  EXPECT_TRUE(report.verdict->allowed);
  EXPECT_EQ(report.verdict->policy, "p.yaml");
}

TEST(Gate, DeniesAFailure) {
  Report report = good_report();
  fail(report, "CUDNN-SET");
  const Verdict verdict = decide(report, static_policy(), kToday);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.code, ExitCode::difference);
  EXPECT_THAT(verdict.reasons, ElementsAre("'CUDNN-SET' failed: it is wrong"));
  EXPECT_EQ(report.verdict->exit_code, 1);
}

TEST(Gate, LetsAFailureWinOverWhatIsBlocked) {
  Report report = good_report();
  fail(report, "CUDNN-SET");
  set(report, "ELF-SYMS", Status::blocked, "damaged");
  EXPECT_EQ(decide(report, static_policy(), kToday).code, ExitCode::difference);
}

TEST(Gate, CannotDecideWithABlockedCheck) {
  Report report = good_report();
  set(report, "ELF-SYMS", Status::blocked, "damaged");
  const Verdict verdict = decide(report, static_policy(), kToday);
  EXPECT_EQ(verdict.code, ExitCode::unavailable);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_THAT(verdict.reasons, ElementsAre("'ELF-SYMS' is required and is blocked: damaged"));
}

TEST(Gate, CannotDecideWithoutACheckOfARequiredTier) {
  Report report = good_report();
  report.checks.pop_back();
  EXPECT_THAT(decide(report, static_policy(), kToday).reasons,
              ElementsAre("'PY-BYTECODE' is required and did not run"));
}

TEST(Gate, CannotDecideWhenNothingOfARequiredTierRan) {
  Report report = good_report();
  Policy policy = static_policy();
  policy.require_tiers.push_back(Tier::gpu);
  const Verdict verdict = decide(report, policy, kToday);
  EXPECT_EQ(verdict.code, ExitCode::unavailable);
  EXPECT_THAT(verdict.reasons, Contains("'CC-KERNEL' is required and did not run"));
  EXPECT_EQ(verdict.reasons.back(), "tier 'gpu' is required and none of its checks ran");
}

TEST(Gate, CannotDecideFromAnEmptyReport) {
  Report report;
  const Verdict verdict = decide(report, {}, kToday);
  EXPECT_EQ(verdict.code, ExitCode::unavailable);
  EXPECT_THAT(verdict.reasons, ElementsAre("no check ran"));
}

TEST(Gate, TakesNoStandInForAnAnswer) {
  Report report = good_report();
  check_of(report, "ELF-SYMS").simulated = true;
  const Verdict verdict = decide(report, static_policy(), kToday);
  EXPECT_EQ(verdict.code, ExitCode::unavailable);
  EXPECT_THAT(verdict.reasons,
              ElementsAre("'ELF-SYMS' was answered by a stand-in, which satisfies nothing"));
}

TEST(Gate, WantsSkippedChecksToBeAllowed) {
  Report report = good_report();
  set(report, "COMPAT-NOTE", Status::skipped, "no compat library");
  EXPECT_THAT(decide(report, static_policy(), kToday).reasons,
              ElementsAre("'COMPAT-NOTE' is required and was skipped: no compat library"));
  Policy policy = static_policy();
  policy.allow_skipped = {"COMPAT-NOTE"};
  EXPECT_TRUE(decide(report, policy, kToday).allowed);
  policy.allow_skipped = {"*"};
  EXPECT_TRUE(decide(report, policy, kToday).allowed);
}

TEST(Gate, NeverTakesATierOfSkippedChecksForAPass) {
  Report report = good_report();
  for (CheckResult& check : report.checks) check = skipped(check.id, check.tier, "not here");
  Policy policy = static_policy();
  policy.allow_skipped = {"*"};
  EXPECT_EQ(decide(report, policy, kToday).code, ExitCode::unavailable);
}

TEST(Gate, LeavesOtherTiersOutOfIt) {
  Report report = good_report();
  report.checks.push_back(blocked("LOAD-TORCH", Tier::container, "no runtime"));
  EXPECT_TRUE(decide(report, static_policy(), kToday).allowed);
}

TEST(Gate, DeniesAFailureOfATierThatIsNotRequired) {
  Report report = good_report();
  report.checks.push_back(
      conclude("LOAD-TORCH", Tier::container, {{.status = Status::fail, .message = "no"}}));
  EXPECT_EQ(decide(report, static_policy(), kToday).code, ExitCode::difference);
}

TEST(Gate, ReportsFailuresBelowTheThresholdAsWarnings) {
  Report report = good_report();
  fail(report, "IMG-LEFTOVER");  // low
  Policy policy = static_policy();
  policy.fail_at = Severity::medium;
  const Verdict verdict = decide(report, policy, kToday);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_THAT(verdict.reasons,
              ElementsAre("'IMG-LEFTOVER' fails, but its severity low is below medium"));
  EXPECT_EQ(check_of(report, "IMG-LEFTOVER").status, Status::warn);
}

TEST(Gate, TakesAnUnknownCheckForCritical) {
  Report report = good_report();
  report.checks.push_back(
      conclude("NEW-CHECK", Tier::image, {{.status = Status::fail, .message = "no"}}));
  Policy policy = static_policy();
  policy.fail_at = Severity::critical;
  EXPECT_EQ(decide(report, policy, kToday).code, ExitCode::difference);
}

TEST(Gate, LetsWarningsFailOnRequest) {
  Report report = good_report();
  check_of(report, "REQ-ENV") =
      conclude("REQ-ENV", Tier::image, {{.status = Status::warn, .message = "stricter"}});
  EXPECT_TRUE(decide(report, static_policy(), kToday).allowed);
  Policy policy = static_policy();
  policy.warnings_fail = true;
  const Verdict verdict = decide(report, policy, kToday);
  EXPECT_EQ(verdict.code, ExitCode::difference);
  EXPECT_THAT(verdict.reasons,
              ElementsAre("'REQ-ENV' failed: warnings count as failures: stricter"));
}

Policy with_waiver(Waiver waiver) {
  Policy policy = static_policy();
  policy.waivers = {std::move(waiver)};
  return policy;
}

TEST(Waiver, AcceptsAFailureUntilItsLastDay) {
  Report report = good_report();
  fail(report, "IMG-WASTE", {"/opt/big"});
  const Policy policy =
      with_waiver({.check = "IMG-WASTE", .reason = "rebuilt in January", .expiry = "2026-11-25"});
  const Verdict verdict = decide(report, policy, kToday);
  EXPECT_TRUE(verdict.allowed);
  EXPECT_THAT(verdict.reasons,
              ElementsAre("'IMG-WASTE' is waived until 2026-11-25: rebuilt in January"));
  const CheckResult& check = check_of(report, "IMG-WASTE");
  EXPECT_EQ(check.status, Status::waived);
  EXPECT_EQ(check.waiver_reason, "rebuilt in January");
  EXPECT_EQ(check.waiver_expiry, "2026-11-25");
}

TEST(Waiver, CountsTheFailureWhenItHasExpired) {
  Report report = good_report();
  fail(report, "IMG-WASTE");
  const Verdict verdict = decide(
      report, with_waiver({.check = "IMG-WASTE", .reason = "old", .expiry = "2026-11-24"}), kToday);
  EXPECT_EQ(verdict.code, ExitCode::difference);
  EXPECT_THAT(verdict.reasons, ElementsAre("'IMG-WASTE' failed: it is wrong",
                                           "the waiver of 'IMG-WASTE' expired on 2026-11-24"));
}

TEST(Waiver, CoversOnlyThePathsOfItsGlob) {
  Report report = good_report();
  fail(report, "IMG-LEFTOVER", {"/usr/share/doc/a", "/var/log/b"});
  const Policy policy = with_waiver({.check = "IMG-LEFTOVER",
                                     .path = "/usr/share/doc/**",
                                     .reason = "licences",
                                     .expiry = "2027-01-31"});
  const Verdict verdict = decide(report, policy, kToday);
  EXPECT_EQ(verdict.code, ExitCode::difference);
  EXPECT_THAT(verdict.reasons, Contains("'IMG-LEFTOVER': 1 of 2 failures are waived"));
  EXPECT_EQ(check_of(report, "IMG-LEFTOVER").status, Status::fail);
}

TEST(Waiver, CoversACheckTogetherWithOthers) {
  Report report = good_report();
  fail(report, "IMG-LEFTOVER", {"/usr/share/doc/a", "/var/log/b"});
  Policy policy = static_policy();
  policy.waivers = {{"IMG-LEFTOVER", "/usr/share/doc/**", "licences", "2027-01-31"},
                    {"IMG-LEFTOVER", "/var/log/**", "logs", "2026-12-31"}};
  EXPECT_TRUE(decide(report, policy, kToday).allowed);
  EXPECT_EQ(check_of(report, "IMG-LEFTOVER").waiver_reason, "licences; logs");
  EXPECT_EQ(check_of(report, "IMG-LEFTOVER").waiver_expiry, "2026-12-31");
}

TEST(Waiver, CoversNoFindingWithoutAPathByAGlob) {
  Report report = good_report();
  fail(report, "IMG-SIZE");
  const Policy policy =
      with_waiver({.check = "IMG-SIZE", .path = "/**", .reason = "r", .expiry = "2027-01-31"});
  EXPECT_FALSE(decide(report, policy, kToday).allowed);
}

TEST(Waiver, OfABlockedCheckHelpsNothing) {
  Report report = good_report();
  set(report, "IMG-WASTE", Status::blocked, "damaged");
  const Verdict verdict = decide(
      report, with_waiver({.check = "IMG-WASTE", .reason = "r", .expiry = "2027-01-31"}), kToday);
  EXPECT_EQ(verdict.code, ExitCode::unavailable);
  EXPECT_THAT(verdict.reasons, Contains("the waiver of 'IMG-WASTE' is not needed"));
}

TEST(CheckExitCode, IsOneForAFailureWhateverElse) {
  Report report = good_report();
  fail(report, "IMG-SIZE");
  set(report, "ELF-SYMS", Status::blocked, "damaged");
  EXPECT_EQ(exit_code_of(report, {Tier::image}), ExitCode::difference);
}

TEST(CheckExitCode, IsThreeForABlockedCheckOfARequiredTierOnly) {
  Report report = good_report();
  report.checks.push_back(blocked("LOAD-TORCH", Tier::container, "no runtime"));
  EXPECT_EQ(exit_code_of(report, {Tier::image}), ExitCode::ok);
  EXPECT_EQ(exit_code_of(report, {Tier::image, Tier::container}), ExitCode::unavailable);
}

TEST(CheckExitCode, IsThreeWhenNothingRan) {
  EXPECT_EQ(exit_code_of(Report{}, {}), ExitCode::unavailable);
  Report report;
  report.checks = {skipped("IMG-SIZE", Tier::image, "no manifest")};
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::unavailable);
  EXPECT_EQ(exit_code_of(good_report(), {Tier::gpu}), ExitCode::unavailable);
}

TEST(CheckExitCode, TakesNoStandInForAnAnswer) {
  Report report = good_report();
  check_of(report, "ELF-SYMS").simulated = true;
  EXPECT_EQ(exit_code_of(report, {Tier::image}), ExitCode::unavailable);
  EXPECT_EQ(exit_code_of(report, {}), ExitCode::ok);
}

}  // namespace
}  // namespace img
