// SPDX-License-Identifier: Apache-2.0
// The JSON form: whole, read back equal, strict, and clean whatever an image wrote.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "tests/unit/report/sample_report.h"
#include "validators/report/clean.h"

#include <gtest/gtest.h>

#include <functional>

namespace img {
namespace {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.render();
  }
  return "no error";
}

std::string error_of_report(const std::function<void(Json&)>& change) {
  Json value = to_json(sample_report());
  change(value);
  return error_of([&] { parse_report(canonical_json(value), "r.json"); });
}

TEST(ReportJson, ReadsBackWhatItWrote) {
  const std::string text = pretty_json(to_json(sample_report()));
  EXPECT_EQ(pretty_json(to_json(parse_report(text, "r.json"))), text);
}

TEST(ReportJson, KeepsAVerdict) {
  Report report = sample_report();
  report.verdict = ReportVerdict{
      .allowed = false, .exit_code = 1, .policy = "p.yaml", .reasons = {"'IMG-SIZE' failed"}};
  const Report read = parse_report(canonical_json(to_json(report)), "r.json");
  ASSERT_TRUE(read.verdict);
  EXPECT_FALSE(read.verdict->allowed);
  EXPECT_EQ(read.verdict->exit_code, 1);
  EXPECT_EQ(read.verdict->policy, "p.yaml");
  EXPECT_EQ(read.verdict->reasons, std::vector<std::string>{"'IMG-SIZE' failed"});
}

TEST(ReportJson, HasEveryFieldWithNullForTheUnknown) {
  const Json value = to_json(Report{});
  EXPECT_TRUE(value.at("manifest").is_null());
  EXPECT_TRUE(value.at("verdict").is_null());
  EXPECT_TRUE(value.at("image").at("name").is_null());
  EXPECT_TRUE(value.at("machine").at("driver").is_null());
  EXPECT_EQ(value.at("counts").at("blocked"), 0);
}

TEST(ReportJson, CountsByStatus) {
  const Json counts = to_json(sample_report()).at("counts");
  EXPECT_EQ(canonical_json(counts),
            R"({"blocked":1,"fail":1,"pass":2,"skipped":1,"waived":1,"warn":1})");
}

TEST(ReportJson, WritesTimesInMilliseconds) {
  EXPECT_EQ(to_json(sample_report()).at("seconds"), 12.346);
  Report report;
  report.seconds = std::numeric_limits<double>::infinity();
  EXPECT_EQ(to_json(report).at("seconds"), 0.0);
}

TEST(ReportJson, IsValidUtf8WithoutControlCharactersWhateverAnImageWrote) {
  const std::string text = canonical_json(to_json(hostile_report()));
  EXPECT_TRUE(is_valid_utf8(text));
  for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20u);
  EXPECT_NE(text.find("\\\\x1b[31m"), std::string::npos);
  EXPECT_NO_THROW(parse_report(text, "r.json"));
}

TEST(ReportJson, RefusesAnotherVersion) {
  EXPECT_EQ(error_of_report([](Json& value) { value["schemaVersion"] = 2; }),
            "error: r.json: schemaVersion: report version 2 is unknown; this imgcheck knows "
            "version 1");
}

TEST(ReportJson, NamesTheMemberThatIsWrong) {
  EXPECT_EQ(error_of_report([](Json& value) { value["checks"][1]["status"] = "passed"; }),
            "error: r.json: checks[1].status: unknown value 'passed'");
  EXPECT_EQ(
      error_of_report([](Json& value) { value["checks"][1]["findings"][0]["status"] = "blocked"; }),
      "error: r.json: checks[1].findings[0].status: a finding is pass, warn or fail");
  EXPECT_EQ(error_of_report([](Json& value) { value["seconds"] = -1; }),
            "error: r.json: seconds: expected a number of seconds >= 0");
  EXPECT_EQ(error_of_report([](Json& value) { value["image"]["digest"] = "x"; }),
            "error: r.json: image: unknown key 'digest'");
  EXPECT_EQ(error_of_report([](Json& value) { value["facts"]["torch"] = 2; }),
            "error: r.json: facts.torch: expected a string");
}

TEST(ReportJson, KeepsChecksThatThisProgramDoesNotKnow) {
  Report report = sample_report();
  report.checks.front().id = "NEW-CHECK";
  const Json value = to_json(parse_report(canonical_json(to_json(report)), "r.json"));
  EXPECT_EQ(value.at("checks").at(0).at("id"), "NEW-CHECK");
  EXPECT_TRUE(value.at("checks").at(0).at("severity").is_null());
}

TEST(CleanText, KeepsLinesAndCutsBetweenCharacters) {
  EXPECT_EQ(clean_text("a\nb\tc\r"), "a\nb\tc\\x0d");
  const std::string text = clean_text(std::string(kTextLimit - 1, 'x') + "é" + "rest");
  EXPECT_EQ(text, std::string(kTextLimit - 1, 'x') + "… (6 more bytes)");
}

}  // namespace
}  // namespace img
