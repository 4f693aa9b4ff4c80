// SPDX-License-Identifier: Apache-2.0
// Policy files: every key, and the whole text of each refusal.
#include "validators/gate/policy.h"

#include "builder/base/file.h"
#include "builder/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Policy load(const std::string& text) {
  const TempDir folder(fs::temp_directory_path(), "policy-test-");
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file("policy.yaml", text);
  try {
    Policy policy = load_policy("policy.yaml");
    fs::current_path(before);
    return policy;
  } catch (...) {
    fs::current_path(before);
    throw;
  }
}

std::string error_of(const std::string& text) {
  try {
    load(text);
  } catch (const ManifestError& error) {
    return error.render();
  }
  return "no error";
}

constexpr const char* kHead = "schema: imgpolicy/v1\nrequire_tiers: [static]\n";

TEST(PolicyFile, ReadsEveryKey) {
  const Policy policy = load(
      "schema: imgpolicy/v1\n"
      "require_tiers: [static, container]\n"
      "fail_at: medium\n"
      "warnings_fail: true\n"
      "allow_skipped: [PY-COMPILE, \"*\"]\n"
      "waivers:\n"
      "  - {check: img-waste, path: /opt/**, reason: rebuilt soon, expiry: 2027-01-31}\n");
  EXPECT_EQ(policy.file, "policy.yaml");
  EXPECT_THAT(policy.require_tiers, ElementsAre(Tier::image, Tier::container));
  EXPECT_EQ(policy.fail_at, Severity::medium);
  EXPECT_TRUE(policy.warnings_fail);
  EXPECT_THAT(policy.allow_skipped, ElementsAre("PY-COMPILE", "*"));
  ASSERT_EQ(policy.waivers.size(), 1u);
  EXPECT_EQ(policy.waivers[0].check, "IMG-WASTE");
  EXPECT_EQ(policy.waivers[0].path, "/opt/**");
  EXPECT_EQ(policy.waivers[0].reason, "rebuilt soon");
  EXPECT_EQ(policy.waivers[0].expiry, "2027-01-31");
}

TEST(PolicyFile, IsStrictByDefault) {
  const Policy policy = load(kHead);
  EXPECT_EQ(policy.fail_at, Severity::low);
  EXPECT_FALSE(policy.warnings_fail);
  EXPECT_THAT(policy.allow_skipped, IsEmpty());
  EXPECT_THAT(policy.waivers, IsEmpty());
}

TEST(PolicyFile, MustNameItsSchema) {
  EXPECT_EQ(error_of("schema: imgpolicy/v2\nrequire_tiers: [static]\n"),
            "error: policy.yaml:1:9: schema 'imgpolicy/v2' is unknown\n"
            "    1 | schema: imgpolicy/v2\n"
            "      |         ^~~~~~~~~~~~\n"
            "hint: this imgcheck knows 'imgpolicy/v1'");
}

TEST(PolicyFile, MustRequireSomething) {
  EXPECT_EQ(error_of("schema: imgpolicy/v1\nrequire_tiers: []\n"),
            "error: policy.yaml:2:16: key 'require_tiers' in the policy is empty\n"
            "    2 | require_tiers: []\n"
            "      |                ^\n"
            "hint: a gate that requires nothing proves nothing");
}

TEST(PolicyFile, SaysWhichCheckWasMeant) {
  EXPECT_EQ(error_of(std::string(kHead) + "allow_skipped: [PY-COMPIEL]\n"),
            "error: policy.yaml:3:17: there is no check 'PY-COMPIEL'\n"
            "    3 | allow_skipped: [PY-COMPIEL]\n"
            "      |                 ^~~~~~~~~~\n"
            "hint: did you mean 'PY-COMPILE'?");
}

TEST(PolicyFile, SaysWhichTierWasMeant) {
  EXPECT_EQ(error_of("schema: imgpolicy/v1\nrequire_tiers: [statik]\n"),
            "error: policy.yaml:2:17: unknown tier 'statik'\n"
            "    2 | require_tiers: [statik]\n"
            "      |                 ^~~~~~\n"
            "hint: did you mean 'static'?");
}

TEST(PolicyFile, RefusesATierTwice) {
  EXPECT_EQ(error_of("schema: imgpolicy/v1\nrequire_tiers: [static, static]\n"),
            "error: policy.yaml:2:25: tier 'static' is there twice\n"
            "    2 | require_tiers: [static, static]\n"
            "      |                         ^~~~~~");
}

TEST(PolicyFile, RefusesAnUnknownSeverity) {
  EXPECT_EQ(error_of(std::string(kHead) + "fail_at: severe\n"),
            "error: policy.yaml:3:10: unknown severity 'severe'\n"
            "    3 | fail_at: severe\n"
            "      |          ^~~~~~\n"
            "hint: use low, medium, high, critical");
}

TEST(PolicyFile, WantsAReasonAndADateForEveryWaiver) {
  EXPECT_EQ(
      error_of(std::string(kHead) + "waivers:\n  - check: IMG-SIZE\n    expiry: 2027-01-31\n"),
      "error: policy.yaml:4:5: key 'reason' is missing in waiver 1\n"
      "    4 |   - check: IMG-SIZE\n"
      "      |     ^");
  EXPECT_EQ(error_of(std::string(kHead) +
                     "waivers:\n  - {check: IMG-SIZE, reason: r, expiry: 2027-02-30}\n"),
            "error: policy.yaml:4:42: '2027-02-30' is no date\n"
            "    4 |   - {check: IMG-SIZE, reason: r, expiry: 2027-02-30}\n"
            "      |                                          ^~~~~~~~~~\n"
            "hint: write the last day as YYYY-MM-DD");
  EXPECT_EQ(error_of(std::string(kHead) +
                     "waivers:\n  - {check: IMG-SIZE, reason: \" \", expiry: 2027-01-31}\n"),
            "error: policy.yaml:4:31: key 'reason' in waiver 1 is empty\n"
            "    4 |   - {check: IMG-SIZE, reason: \" \", expiry: 2027-01-31}\n"
            "      |                               ^~~");
}

TEST(PolicyFile, RefusesUnknownKeys) {
  EXPECT_EQ(error_of(std::string(kHead) + "waiver: []\n"),
            "error: policy.yaml:3:1: unknown key 'waiver' in the policy\n"
            "    3 | waiver: []\n"
            "      | ^~~~~~\n"
            "hint: did you mean 'waivers'?");
}

TEST(PolicyFile, WantsAbsolutePaths) {
  EXPECT_EQ(error_of(std::string(kHead) +
                     "waivers:\n  - {check: IMG-SIZE, path: opt, reason: r, expiry: 2027-01-31}\n"),
            "error: policy.yaml:4:29: key 'path' in waiver 1 is no absolute path\n"
            "    4 |   - {check: IMG-SIZE, path: opt, reason: r, expiry: 2027-01-31}\n"
            "      |                             ^~~\n"
            "hint: paths of findings start with '/'");
}

TEST(DefaultPolicy, RequiresWhatAMachineWithoutAGpuCanProve) {
  const Policy policy = default_policy();
  EXPECT_THAT(policy.require_tiers, ElementsAre(Tier::image, Tier::container));
  EXPECT_EQ(policy.fail_at, Severity::low);
}

TEST(PolicySchema, NamesEveryKeyAndEveryCheck) {
  const Json schema = parse_json(policy_json_schema(), "schema");
  std::vector<std::string> keys;
  for (const auto& [key, unused] : schema.at("properties").items()) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("allow_skipped", "fail_at", "require_tiers", "schema", "waivers",
                                "warnings_fail"));
  EXPECT_EQ(schema.at("$defs").at("check").at("enum").size(), catalogue().size());
}

}  // namespace
}  // namespace img
