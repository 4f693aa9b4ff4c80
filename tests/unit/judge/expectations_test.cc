// SPDX-License-Identifier: Apache-2.0
// Tests of the JSON form of expectations.
#include "validators/judge/expectations.h"

#include "builder/base/error.h"
#include "tests/unit/judge/probe_runs.h"

#include <gtest/gtest.h>

#include <string>

namespace img {
namespace {

std::string problem_of(const std::string& text) {
  try {
    parse_expectations(text, "e.json");
    return "none";
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(Expectations, ComeBackAsTheyWere) {
  Expectations expectations = good_expectations();
  expectations.size_compressed = 18446744073709551615u;
  expectations.gpus = {"T4", "B200"};
  expectations.driver = "525.60.13";
  const std::string text = canonical_json(to_json(expectations));
  EXPECT_EQ(canonical_json(to_json(parse_expectations(text, "e.json"))), text);
}

TEST(Expectations, WithoutAnythingPromiseNothing) {
  const Expectations none = parse_expectations(R"({"expectationsVersion":1})", "e.json");
  EXPECT_TRUE(none.torch_folder.empty());
  EXPECT_FALSE(none.import_torch_seconds.has_value());
  EXPECT_FALSE(none.compile);
  EXPECT_TRUE(none.packages.empty());
}

TEST(Expectations, NameTheMemberThatIsWrong) {
  EXPECT_EQ(problem_of("{}"), "e.json: missing key 'expectationsVersion'");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":2})"),
            "e.json: expectationsVersion: expected 1, found 2");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"verisons":{}})"),
            "e.json: unknown key 'verisons'");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"versions":{"cuda":12.8}})"),
            "e.json: versions.cuda: expected a string, found a number");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"importTorchSeconds":-1})"),
            "e.json: importTorchSeconds: expected a number of seconds >= 0, found -1");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"python":"bin/python"})"),
            "e.json: python: expected an absolute path, found 'bin/python'");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"packages":[{"name":"a"}]})"),
            "e.json: packages[0]: missing key 'version'");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"libraries":[{"soname":"a","path":"x"}]})"),
            "e.json: libraries[0].path: expected an absolute path, found 'x'");
  EXPECT_EQ(problem_of(R"({"expectationsVersion":1,"sizeUnpacked":1.5})"),
            "e.json: sizeUnpacked: expected an integer >= 0, found 1.5");
}

}  // namespace
}  // namespace img
