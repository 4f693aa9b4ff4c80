// SPDX-License-Identifier: Apache-2.0
// The forms of a matrix: nothing from a report leaves its place, and the JSON is what the schema
// says.

#include "builder/base/error.h"
#include "tests/unit/matrix/sample.h"

#include <gtest/gtest.h>

#include <set>

namespace img {
namespace {

constexpr const char* kHostile = "</script><b>=1|`\"'\n\x1b[31m";

Report hostile() {
  Report report = sample_image('9');
  report.image.name = kHostile;
  report.facts[kHostile] = kHostile;
  report.facts["torch"] = std::string("2.8.0") + kHostile;
  report.machine.cpu = kHostile;
  CheckResult check = failing("LOAD-TORCH");
  check.reason = kHostile;
  CheckResult strange = failing("</td><i>");
  report.checks = {check, strange};
  return report;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t number = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++number;
  }
  return number;
}

TEST(Forms, HtmlHoldsWhatReportsSay) {
  const std::string page = render(matrix_of({sample_image(), hostile()}), MatrixFormat::html);
  EXPECT_EQ(count(page, "</script>"), 2u);  // data and script
  EXPECT_EQ(count(page, "<b>="), 0u);
  EXPECT_EQ(count(page, "<i>\""), 0u);
  EXPECT_EQ(count(page, "</td><i>"), 0u);
  EXPECT_EQ(count(page, "\x1b"), 0u);
  EXPECT_EQ(count(page, "http://") + count(page, "https://"), 0u);
}

TEST(Forms, CsvHasOneLineACellAndNoFormula) {
  Report report = sample_image();
  report.image.name = "=HYPERLINK(1)";
  const Matrix matrix = matrix_of({report}, {.gpus = {"T4"}, .branches = {"R580", "R590"}});
  const std::string csv = render(matrix, MatrixFormat::csv);
  EXPECT_EQ(count(csv, "\r\n"), 1 + 2 + 2 + matrix.claims.size());
  EXPECT_EQ(count(csv, "\ngpu,'=HYPERLINK(1),"), 2u);
}

TEST(Forms, MarkdownNamesEachReasonOnce) {
  const std::string text = render(
      matrix_of({sample_image()}, {.gpus = {"T4", "A100"}, .branches = {"R470", "R525", "R580"}}),
      MatrixFormat::markdown);
  EXPECT_NE(text.find("| T4 | ✕ d | ◐ d | ✓ d |\n| A100 | ✕ d | ◐ d | ✓ d |\n"), std::string::npos)
      << text;
  EXPECT_EQ(count(text, "DRIVER\\-FLOOR"), 1u) << text;
}

TEST(Forms, UnknownGpuAndBranchAreNamed) {
  const auto refusal = [](const MatrixOptions& options) {
    try {
      matrix_of({sample_image()}, options);
    } catch (const Error& error) {
      return error.render();
    }
    return std::string("made");
  };
  EXPECT_EQ(refusal({.gpus = {"H10"}}),
            "error: the table has no GPU 'H10'\nhint: did you mean 'A10'?");
  EXPECT_EQ(refusal({.branches = {"R1"}}),
            "error: the table has no driver branch 'R1'\nhint: use one of R470, R525, R535, R550, "
            "R560, R570, R575, R580, R590, R595, R610");
}

/// Keys that a schema requires, by path; and those that a value has.
void compare(const Json& schema, const Json& root, const Json& value, const std::string& path) {
  if (schema.contains("$ref")) {
    const std::string name = schema.at("$ref").get<std::string>().substr(8);
    compare(root.at("$defs").at(name), root, value, path);
    return;
  }
  if (value.is_object() && schema.contains("required")) {
    std::set<std::string> required, present;
    for (const Json& key : schema.at("required")) required.insert(key.get<std::string>());
    for (const auto& [key, member] : value.items()) present.insert(key);
    EXPECT_EQ(required, present) << path;
    for (const auto& [key, member] : value.items()) {
      ASSERT_TRUE(schema.at("properties").contains(key)) << path << "." << key;
      compare(schema.at("properties").at(key), root, member, path + "." + key);
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (const Json& item : value) compare(schema.at("items"), root, item, path + "[]");
  }
}

TEST(Forms, SchemaAndJsonHaveTheSameKeys) {
  const Json schema = Json::parse(matrix_json_schema());
  Report contradicting = sample_image();
  contradicting.started = "2026-11-26T00:00:00Z";
  contradicting.checks = {failing("ELF-CLOSURE", Tier::image)};
  const Json value = to_json(matrix_of({sample_image(), contradicting}));
  EXPECT_FALSE(value.at("problems").empty());
  compare(schema, schema, value, "matrix");
}

}  // namespace
}  // namespace img
