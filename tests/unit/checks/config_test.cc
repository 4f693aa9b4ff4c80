// SPDX-License-Identifier: Apache-2.0
// IMG-CONFIG: the config against manifest and sense.
#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::ElementsAre;
using testing::FakeImage;
using testing::good_image;

std::vector<std::string> with(void (*change)(FakeImage&)) {
  FakeImage image = good_image();
  change(image);
  return complaints(image.run("IMG-CONFIG"));
}

TEST(Config, EqualsTheManifest) {
  EXPECT_THAT(with([](FakeImage& image) { image.facts.image.config.user = "trainer"; }),
              ElementsAre("fail: user is not that of the manifest | nothing | trainer | manifest"));
  EXPECT_THAT(with([](FakeImage& image) { image.env("PYTHONDONTWRITEBYTECODE", "0"); }),
              ElementsAre("fail: variable 'PYTHONDONTWRITEBYTECODE' is not that of the manifest | "
                          "1 | 0 | manifest"));
  EXPECT_THAT(with([](FakeImage& image) { image.env("EXTRA", "1"); }),
              ElementsAre("fail: variable 'EXTRA' is not that of the manifest | nothing | 1 | "
                          "manifest"));
  EXPECT_THAT(with([](FakeImage& image) { image.facts.image.config.labels["a"] = "b"; }),
              ElementsAre("fail: label 'a' is not that of the manifest | nothing | b | manifest"));
  EXPECT_THAT(
      with([](FakeImage& image) { image.manifest.config.volumes = {"/data"}; }),
      ElementsAre("fail: volumes is not that of the manifest | /data | nothing | manifest"));
  EXPECT_THAT(with([](FakeImage& image) { image.env("PATH", "/usr/bin:/opt/venv/bin"); }),
              ElementsAre("fail: programs of the venv are not the first on PATH | "
                          "/opt/venv/bin:… | /usr/bin:/opt/venv/bin | manifest"));
  EXPECT_THAT(with([](FakeImage& image) { image.manifest.platform.architecture = "arm64"; }),
              ElementsAre("fail: platform is not that of the manifest | linux/arm64 | linux/amd64 "
                          "| manifest"));
}

TEST(Config, OnABaseImageWhatThatBringsIsAllowed) {
  EXPECT_THAT(with([](FakeImage& image) {
                image.manifest.recipes[0].spec = OciSpec{};
                image.env("EXTRA", "1");
                image.facts.image.config.labels["a"] = "b";
              }),
              ElementsAre());
}

TEST(Config, WorkingDirectoriesOfTheKernelFail) {
  for (const char* folder : {"/proc/self/fd/8", "/sys", "/workspace/../dev/fd"}) {
    FakeImage image = good_image();
    image.facts.image.config.working_dir = image.manifest.config.workdir = folder;
    EXPECT_EQ(image.run("IMG-CONFIG").status, Status::fail) << folder;
  }
  EXPECT_THAT(with([](FakeImage& image) {
                image.folder("/proc");
                image.link("/work", "/proc");
                image.facts.image.config.working_dir = image.manifest.config.workdir = "/work";
              }),
              ElementsAre("fail: working directory '/work' is a link to '/proc' |  |  | "));
}

TEST(Config, SearchPathsWithHolesFail) {
  FakeImage image = good_image();
  image.with_manifest = false;
  image.env("LD_LIBRARY_PATH", "/usr/local/lib::relative");
  EXPECT_THAT(
      complaints(image.run("IMG-CONFIG")),
      ElementsAre(
          "fail: LD_LIBRARY_PATH has an empty entry, which is the working directory |  |  | ",
          "fail: LD_LIBRARY_PATH has the relative entry 'relative' |  |  | "));
  image = good_image();
  image.with_manifest = false;
  image.env("PATH", "");
  EXPECT_EQ(image.run("IMG-CONFIG").reason.substr(0, 13), "PATH is empty");
}

TEST(Config, UsersResolve) {
  EXPECT_THAT(with([](FakeImage& image) {
                image.facts.image.config.user = image.manifest.config.user = "nobody:users";
              }),
              ElementsAre("fail: user 'nobody' is not in /etc/passwd |  |  | "));
  EXPECT_THAT(with([](FakeImage& image) {
                image.facts.image.config.user = image.manifest.config.user = "trainer:video";
              }),
              ElementsAre("fail: group 'video' is not in /etc/group |  |  | "));
  for (const char* user : {"trainer:users", "65532", "65532:100", "root"}) {
    FakeImage image = good_image();
    image.facts.image.config.user = image.manifest.config.user = user;
    EXPECT_EQ(image.run("IMG-CONFIG").status, Status::pass) << user;
  }
}

TEST(Config, TheCommandIsThere) {
  EXPECT_THAT(with([](FakeImage& image) {
                image.facts.image.config.cmd = image.manifest.config.cmd = {"train"};
              }),
              ElementsAre("fail: 'train' of the command is not on PATH |  |  | "));
  EXPECT_THAT(with([](FakeImage& image) {
                image.facts.image.config.entrypoint = image.manifest.config.entrypoint = {"/init"};
              }),
              ElementsAre("fail: '/init' of the command is no program of the image |  |  | "));
}

TEST(Config, ProgramsForAnotherMachineFail) {
  EXPECT_THAT(with([](FakeImage& image) { image.facts.elf["/usr/bin/python3.11"].machine = 183; }),
              ElementsAre("fail: the platform is amd64, but '/usr/bin/python3.11' is a program for "
                          "another machine |  |  | "));
}

TEST(Config, OddEnvironmentsAreNamed) {
  FakeImage image = good_image();
  image.with_manifest = false;
  image.facts.image.config.env.push_back("NOVALUE");
  image.facts.image.config.env.push_back("PATH=/opt/venv/bin:/usr/bin");
  image.facts.image.config.env.push_back("LD_PRELOAD=/x.so");
  EXPECT_THAT(
      complaints(image.run("IMG-CONFIG")),
      ElementsAre("fail: 'NOVALUE' of the environment is not of the form NAME=value |  |  | ",
                  "warn: variable 'PATH' is set twice |  |  | ",
                  "warn: LD_PRELOAD puts '/x.so' into every process |  |  | "));
}

}  // namespace
}  // namespace img
