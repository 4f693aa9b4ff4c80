// SPDX-License-Identifier: Apache-2.0
// DRV-NOTBAKED, DRV-STUB and COMPAT-NOTE.
#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::ElementsAre;
using testing::evidence;
using testing::FakeImage;
using testing::good_image;
using testing::kSystem;

const std::string kStub = "/usr/local/cuda/lib64/stubs/libcuda.so";
const std::string kCompat = "/usr/local/cuda-12.8/compat/libcuda.so.570.86.10";

TEST(DriverBaked, LibrariesAndProgramsOfTheDriverFail) {
  FakeImage image = good_image();
  image.file(kSystem + "/libcuda.so.535.54.03", 28'000'000);
  image.file(kSystem + "/libnvidia-ml.so.1", 0);
  image.file("/usr/bin/nvidia-smi", 700'000, 0755);
  image.file(kSystem + "/libnvidia-container.so.1", 5);
  EXPECT_THAT(complaints(image.run("DRV-NOTBAKED")),
              ElementsAre("fail: '/usr/bin/nvidia-smi' is a file of the driver, 700 kB |  |  | ",
                          "fail: '" + kSystem +
                              "/libcuda.so.535.54.03' is a file of the driver, 28.0 MB |  |  | ",
                          "fail: '" + kSystem +
                              "/libnvidia-ml.so.1' is an empty file where the toolkit mounts |  |  "
                              "| "));
}

TEST(DriverBaked, StubsAndCompatLibrariesAreOtherChecksMatter) {
  FakeImage image = good_image();
  image.elf(kStub, "libcuda.so.1");
  image.elf(kCompat, "libcuda.so.1");
  EXPECT_EQ(image.run("DRV-NOTBAKED").status, Status::pass);
}

TEST(DriverStub, OffTheSearchPathsIsHarmless) {
  FakeImage image = good_image();
  image.elf(kStub, "libcuda.so.1");
  EXPECT_THAT(evidence(image.run("DRV-STUB")),
              ElementsAre("stub '" + kStub + "' is on no search path"));
}

TEST(DriverStub, IsFoundWhereverItsFolderIsNamed) {
  FakeImage image = good_image();
  image.elf(kStub, "libcuda.so.1");
  image.env("LD_LIBRARY_PATH", "/usr/local/cuda/lib64/stubs");
  EXPECT_EQ(image.run("DRV-STUB").reason,
            "a loader finds the stub '" + kStub + "' by LD_LIBRARY_PATH");
  image.unset("LD_LIBRARY_PATH");
  image.text("/etc/ld.so.conf.d/cuda.conf", "# toolkit\n/usr/local/cuda/lib64/stubs # all\n");
  EXPECT_EQ(image.run("DRV-STUB").reason,
            "a loader finds the stub '" + kStub + "' by /etc/ld.so.conf.d/cuda.conf");
}

TEST(DriverStub, IsFoundThroughALink) {
  FakeImage image = good_image();
  image.elf(kStub, "libcuda.so.1");
  image.link(kSystem + "/libcuda.so.1", kStub);
  EXPECT_EQ(image.run("DRV-STUB").reason,
            "a loader finds the stub '" + kStub + "' by default path");
}

FakeImage with_compat(const std::string& note) {
  FakeImage image = good_image();
  ElfFacts& elf = image.elf(kCompat, "libcuda.so.1");
  if (!note.empty()) elf.cuda_compat_note = note;
  return image;
}
const std::string kNote =
    R"({"Format":1,"CUDA Version":"12.8","Driver":[525,535,550],"Device":[1,2,7]})";

TEST(CompatNote, BranchesHoldThePromisedDriver) {
  EXPECT_THAT(evidence(with_compat(kNote).run("COMPAT-NOTE")),
              ElementsAre("'" + kCompat + "' serves the promised driver"));
  FakeImage image = with_compat(kNote);
  image.manifest.supports.driver = "515.43.04";
  EXPECT_THAT(complaints(image.run("COMPAT-NOTE")),
              ElementsAre("fail: '" + kCompat +
                          "' does not serve the promised driver | branch 515 of driver 515.43.04 | "
                          "branches 525 535 550 | manifest, supports.driver"));
}

TEST(CompatNote, ANoteThatIsNoneIsSaid) {
  EXPECT_EQ(with_compat("").run("COMPAT-NOTE").status, Status::warn);
  for (const char* note : {"{", "[]", R"({"Driver":["535"]})", R"({"Driver":[-1]})"}) {
    EXPECT_EQ(with_compat(note).run("COMPAT-NOTE").status, Status::fail) << note;
  }
}

TEST(CompatNote, TwoOfThemFail) {
  FakeImage image = with_compat(kNote);
  ElfFacts& elf = image.elf("/usr/local/cuda-12.9/compat/libcuda.so.575.51.03", "libcuda.so.1");
  elf.cuda_compat_note = kNote;
  EXPECT_EQ(image.run("COMPAT-NOTE").status, Status::fail);
}

TEST(CompatNote, OnASearchPathItIsUsedEverywhere) {
  FakeImage image = with_compat(kNote);
  image.link("/usr/local/cuda", "cuda-12.8");
  image.env("LD_LIBRARY_PATH", "/usr/local/cuda/compat");
  EXPECT_EQ(image.run("COMPAT-NOTE").reason,
            "'" + kCompat +
                "' is on a search path (LD_LIBRARY_PATH), so it is used on hosts that it does not "
                "serve");
}

}  // namespace
}  // namespace img
