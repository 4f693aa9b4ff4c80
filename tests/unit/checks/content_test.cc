// SPDX-License-Identifier: Apache-2.0
// IMG-WASTE, IMG-LEFTOVER and IMG-SECRET.
#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::evidence;
using testing::FakeImage;
using testing::good_image;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Waste, HiddenBytesAboveTheLimitFail) {
  FakeImage image = good_image();
  image.facts.hidden = {{.path = "/opt/big", .size = 20'000'000, .layer = 0, .hidden_by = 1}};
  const CheckResult result = image.run("IMG-WASTE");
  EXPECT_THAT(complaints(result),
              ElementsAre("fail: no container sees 1 file of lower layers, 20.0 MB | "
                          "at most 16.8 MB | 20.0 MB | limit of this check",
                          "fail: '/opt/big' of layer 1, 20.0 MB, is hidden by layer 2 |  |  | "));
  EXPECT_EQ(result.findings[1].layer, image.facts.layers[0].descriptor.digest.str());
  image.facts.hidden[0].size = 2'000'000;
  EXPECT_EQ(image.run("IMG-WASTE").status, Status::warn);
  image.facts.hidden[0].size = 2'000;
  EXPECT_EQ(image.run("IMG-WASTE").status, Status::pass);
}

TEST(Waste, ContentsThatAreThereTwiceWarn) {
  FakeImage image = good_image();
  const std::uint64_t key = image.file("/opt/a", 30'000'000).content_key;
  image.file("/opt/b", 30'000'000).content_key = key;
  EXPECT_THAT(complaints(image.run("IMG-WASTE")),
              ElementsAre("warn: 1 content under several paths cost 30.0 MB more than once | "
                          "at most 16.8 MB | 30.0 MB | limit of this check",
                          "warn: '/opt/a', 30.0 MB, is also '/opt/b' |  |  | "));
  image.facts.files["/opt/b"].hard_link_of = "/opt/a";
  EXPECT_EQ(image.run("IMG-WASTE").status, Status::pass);
}

TEST(Leftovers, EachKindIsNamedOnce) {
  FakeImage image = good_image();
  image.file("/var/lib/apt/lists/a_Packages", 40'000'000);
  image.file("/var/lib/apt/lists/b_Packages", 1'000'000);
  image.file("/root/.cache/pip/http/x", 100);
  image.file("/var/log/dpkg.log", 0);
  image.file("/core.123", 10);
  EXPECT_THAT(
      complaints(image.run("IMG-LEFTOVER")),
      ElementsAre("fail: lists of apt are left over: 2 files, 41.0 MB, among them "
                  "'/var/lib/apt/lists/a_Packages' |  |  | ",
                  "warn: caches of pip, uv and other programs are left over: 1 file, 100 B, among "
                  "them '/root/.cache/pip/http/x' |  |  | ",
                  "warn: core dumps are left over: 1 file, 10 B, among them '/core.123' |  |  | "));
}

TEST(Leftovers, StaticArchivesOfPackagesAreToldNotBlamed) {
  FakeImage image = good_image();
  image.file(testing::kSite + "/triton/lib/libx.a", 77'000'000);
  image.file("/usr/lib/libloose.a", 1'000'000);
  const CheckResult result = image.run("IMG-LEFTOVER");
  EXPECT_THAT(complaints(result),
              ElementsAre("fail: static archives are left over: 1 file, 1.00 MB, among them "
                          "'/usr/lib/libloose.a' |  |  | "));
  image.file("/usr/bin/gcc", 10, 0755);
  EXPECT_EQ(image.run("IMG-LEFTOVER").status, Status::pass);
}

TEST(Secrets, AreNeverRepeated) {
  FakeImage image = good_image();
  const std::string token = "hf_" + std::string(34, 'x');
  image.env("HF_TOKEN", token);
  image.env("NOTE", "uses " + token);
  image.env("INDEX", "https://me:pass@index.example/simple");
  image.facts.secrets = {"/root/.netrc: a password"};
  image.facts.image.config.history = {
      {.created_by = "|1 API_TOKEN=abc /bin/sh -c make"},
      {.created_by = "RUN curl -H $TOKEN"},
  };
  image.facts.hidden = {{.path = "/root/.ssh/id_ed25519", .size = 400, .layer = 0, .hidden_by = 1},
                        {.path = "/root/.ssh/id_rsa.pub", .size = 400, .layer = 0, .hidden_by = 1}};
  const CheckResult result = image.run("IMG-SECRET");
  EXPECT_THAT(
      complaints(result),
      ElementsAre("fail: '/root/.netrc' holds a password |  |  | ",
                  "fail: '/root/.ssh/id_ed25519' is hidden by layer 2 and can still be "
                  "read in layer 1 |  |  | ",
                  "fail: variable 'HF_TOKEN' holds a value under a name of secrets |  |  | ",
                  "fail: variable 'INDEX' holds a password in an address |  |  | ",
                  "fail: variable 'NOTE' holds a Hugging Face token |  |  | ",
                  "fail: line 1 of the history holds a value of 'API_TOKEN' |  |  | "));
  for (const Finding& finding : result.findings) {
    EXPECT_THAT(finding.message + finding.actual, Not(HasSubstr(token)));
    EXPECT_THAT(finding.message + finding.actual, Not(HasSubstr("pass@")));
  }
}

TEST(Secrets, NamesAndAddressesWithoutAValueAreNone) {
  FakeImage image = good_image();
  image.env("HF_TOKEN", "");
  image.env("INDEX", "https://user@index.example/ https://u:$PASSWORD@h/");
  image.env("TASK", "sk-ip and hf_small");
  EXPECT_EQ(image.run("IMG-SECRET").status, Status::pass);
}

}  // namespace
}  // namespace img
