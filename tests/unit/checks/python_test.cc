// SPDX-License-Identifier: Apache-2.0
// PY-PACKAGES and PY-BYTECODE.
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
using testing::kSite;

TEST(Packages, EqualTheLock) {
  FakeImage image = good_image();
  EXPECT_THAT(evidence(image.run("PY-PACKAGES")),
              ElementsAre("4 distributions of 4 are installed in the versions of the lock"));
  image.lock.wheels.push_back(FakeImage::locked("numpy", "2.4.6"));
  image.lock.wheels[0].version = "12.8.91";
  std::erase_if(image.lock.wheels, [](const LockedWheel& wheel) { return wheel.name == "torch"; });
  EXPECT_THAT(complaints(image.run("PY-PACKAGES")),
              ElementsAre("fail: 'nvidia-cuda-runtime-cu12' is of another version | 12.8.91 | "
                          "12.8.90 | lock",
                          "fail: 'numpy' is not installed | 2.4.6 | not installed | lock",
                          "fail: 'torch' is installed, but not of the lock | not installed | 2.8.0 "
                          "| lock"));
}

TEST(Packages, TwoVersionsOfOneFail) {
  FakeImage image = good_image();
  image.with_manifest = false;
  image.package("Torch", "2.7.0");
  EXPECT_THAT(complaints(image.run("PY-PACKAGES")),
              ElementsAre("fail: 'torch' is installed twice in '" + kSite +
                          "' | once | 2.7.0 and 2.8.0 | "));
}

TEST(Packages, VendoredMetadataIsNoPackage) {
  FakeImage image = good_image();
  image.text(kSite + "/setuptools/_vendor/jaraco-1.dist-info/METADATA",
             "Name: jaraco\nVersion: 1\n");
  EXPECT_EQ(image.run("PY-PACKAGES").status, Status::pass);
}

TEST(Packages, OfDebianAreNotTheLocks) {
  FakeImage image = good_image();
  image.text("/usr/lib/python3/dist-packages/six-1.dist-info/METADATA", "Name: six\nVersion: 1\n");
  EXPECT_EQ(image.run("PY-PACKAGES").status, Status::pass);
}

TEST(Packages, MetadataThatNamesNothingFails) {
  FakeImage image = good_image();
  image.with_manifest = false;
  image.text(kSite + "/x-1.dist-info/METADATA", "Summary: none\n");
  EXPECT_EQ(image.run("PY-PACKAGES").reason,
            "METADATA of '" + kSite + "/x-1.dist-info' names no distribution");
}

TEST(Bytecode, IsCountedByItsKind) {
  FakeImage image = good_image();
  image.module(kSite + "/a.py", 0);
  image.module(kSite + "/b.py", 1);
  image.module(kSite + "/c.py", 3, 3531 | 0x0a0d0000);
  const std::string wanted = "checked-hash bytecode of Python 3.11";
  EXPECT_THAT(complaints(image.run("PY-BYTECODE")),
              ElementsAre("fail: 1 of 203 modules have bytecode that their Python does not take, "
                          "such as '" +
                              kSite + "/c.py' | " + wanted + " | " + kSite + "/c.py | ",
                          "fail: 1 of 203 modules have bytecode that a changed date makes stale, "
                          "such as '" +
                              kSite + "/a.py' | " + wanted + " | " + kSite + "/a.py | ",
                          "warn: 1 of 203 modules have bytecode that hides an edit of the source "
                          "(unchecked hash), such as '" +
                              kSite + "/b.py' | " + wanted + " | " + kSite + "/b.py | "));
}

TEST(Bytecode, AFewThatAreAbsentWarnManyFail) {
  FakeImage image = good_image();
  const auto drop = [&image](int number) {
    image.remove(kSite + "/torch/__pycache__/module_" + std::to_string(number) +
                 ".cpython-311.pyc");
  };
  drop(0);
  drop(1);
  EXPECT_EQ(image.run("PY-BYTECODE").status, Status::warn);
  drop(2);
  EXPECT_EQ(image.run("PY-BYTECODE").status, Status::fail);
}

TEST(Bytecode, OneInThousandsIsAFileThatThisPythonCannotCompile) {
  FakeImage image = good_image();
  for (int i = 0; i < 800; ++i) image.module(kSite + "/pkg/m" + std::to_string(i) + ".py");
  image.file(kSite + "/pkg/for_newer_python.py");
  const CheckResult result = image.run("PY-BYTECODE");
  EXPECT_EQ(result.status, Status::pass);
  EXPECT_THAT(evidence(result), Contains("1 of 1,001 modules have no bytecode, such as '" + kSite +
                                         "/pkg/for_newer_python.py'"));
  image.file(kSite + "/pkg/another.py");
  EXPECT_EQ(image.run("PY-BYTECODE").status, Status::warn);
}

TEST(Bytecode, DatesAreTheNormInImagesOfOthers) {
  FakeImage image = good_image();
  image.module(kSite + "/a.py", 0);
  image.with_manifest = false;
  EXPECT_EQ(image.run("PY-BYTECODE").status, Status::warn);
}

}  // namespace
}  // namespace img
