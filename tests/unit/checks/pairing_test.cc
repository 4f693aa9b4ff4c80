// SPDX-License-Identifier: Apache-2.0
// PAIR-PROMISE, PAIR-TABLE, and the pins of wheels.
#include "tests/unit/checks/fake_image.h"
#include "validators/checks/wheel_pin.h"

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
using testing::kSite;

void set_torch(FakeImage& image, const std::string& version, const std::string& cuda) {
  image.text(kSite + "/torch/version.py",
             "__version__ = '" + version + "'\ncuda: Optional[str] = " + cuda + "\n");
}

TEST(Promise, AWheelForAnotherCudaFails) {
  FakeImage image = good_image();
  set_torch(image, "2.8.0+cu126", "'12.6'");
  EXPECT_THAT(complaints(image.run("PAIR-PROMISE")),
              ElementsAre("fail: cuda is not the promised version, says torch/version.py | 12.8 | "
                          "12.6 | manifest, versions.cuda"));
}

TEST(Promise, ACpuBuildFails) {
  FakeImage image = good_image();
  set_torch(image, "2.8.0+cpu", "None");
  EXPECT_THAT(complaints(image.run("PAIR-PROMISE")),
              ElementsAre("fail: cuda is not the promised version, says torch/version.py | 12.8 | "
                          "none | manifest, versions.cuda"));
}

TEST(Promise, PythonIsToldByItsPackage) {
  FakeImage image = good_image();
  image.manifest.versions = {{"python", "3.11.2"}};
  EXPECT_EQ(image.run("PAIR-PROMISE").status, Status::pass);
  image.remove("/var/lib/dpkg/status");
  EXPECT_EQ(image.run("PAIR-PROMISE").status, Status::warn);
  image.manifest.versions = {{"python", "3.12"}};
  EXPECT_EQ(image.run("PAIR-PROMISE").reason,
            "python is not the promised version, says name of the interpreter");
}

TEST(Promise, WhatIsNotThereFails) {
  FakeImage image = good_image();
  image.manifest.versions = {{"numpy", "2.0"}};
  EXPECT_THAT(complaints(image.run("PAIR-PROMISE")),
              ElementsAre("fail: 'numpy' is promised, but the image has none | 2.0 | not found | "
                          "manifest, versions.numpy"));
}

TEST(Promise, DottedPartsAreCompared) {
  FakeImage image = good_image();
  image.manifest.versions = {{"cudnn", "9.1"}};
  EXPECT_EQ(image.run("PAIR-PROMISE").status, Status::fail);
}

TEST(Pin, BothFormsAreRead) {
  const auto pin = parse_pin("nvidia-cudnn-cu12==9.10.2.21; platform_system == \"Linux\"");
  ASSERT_TRUE(pin);
  EXPECT_EQ(pin->name, "nvidia-cudnn-cu12");
  EXPECT_EQ(pin->version, "9.10.2.21");
  EXPECT_EQ(parse_pin("nvidia_nccl.cu12 (==2.20.5) ; x")->name, "nvidia-nccl-cu12");
  EXPECT_EQ(parse_pin("cuda-toolkit[cublas,cudart]==13.2.2; x")->version, "13.2.2");
  EXPECT_TRUE(keeps_pin(*parse_pin("nvidia-cublas==13.2.86.*"), "13.2.86.4"));
  EXPECT_FALSE(keeps_pin(*parse_pin("nvidia-cublas==13.2.86.*"), "13.2.8"));
  EXPECT_TRUE(keeps_pin(*parse_pin("torch==2.8.0"), "2.8.0+cu128"));
  EXPECT_FALSE(keeps_pin(*parse_pin("torch==2.8.0"), "2.8.0.1"));
}

TEST(Pin, RangesAndExtrasArePinsOfNothing) {
  for (const char* text : {"filelock", "sympy>=1.13.3", "triton~=3.9.0", "a==1,!=2", "a===1",
                           "opt-einsum==3.3; extra == \"opt\"", "==1", "a[b==1", ""}) {
    EXPECT_FALSE(parse_pin(text)) << text;
  }
}

TEST(Pairing, ShowsClaimTruthAndSource) {
  const CheckResult result = good_image().run("PAIR-TABLE");
  EXPECT_THAT(evidence(result),
              Contains("claim: 'PyTorch 2.8 goes with CUDA 11.8 or 12.1'; truth: CUDA 12.6, 12.8 "
                       "(default) and 12.9; the last wheels for 11.8 were those of 2.7, for 12.1 "
                       "those of 2.5"));
  for (const Finding& finding : result.findings) EXPECT_NE(finding.source, "") << finding.message;
}

TEST(Pairing, APinThatIsNotInstalledFails) {
  FakeImage image = good_image();
  image.remove(kSite + "/nvidia_nccl_cu12-2.27.3.dist-info/METADATA");
  EXPECT_THAT(complaints(image.run("PAIR-TABLE")),
              ElementsAre("fail: 'nvidia-nccl-cu12', which torch pins, is not installed | 2.27.3 | "
                          "not installed | METADATA of torch"));
}

TEST(Pairing, AnOlderMinorOfCudnnFailsANewerOneWarnsWhenTheWheelDoesNotPin) {
  FakeImage image = good_image();
  std::string& metadata = image.facts.texts[kSite + "/torch-2.8.0.dist-info/METADATA"];
  metadata = "Name: torch\nVersion: 2.8.0\n\n";
  std::string& cudnn = image.facts.texts[kSite + "/nvidia_cudnn_cu12-9.10.2.21.dist-info/METADATA"];
  cudnn = "Name: nvidia-cudnn-cu12\nVersion: 9.8.0.87\n\n";
  EXPECT_EQ(image.run("PAIR-TABLE").reason, "cuDNN does not serve what torch was compiled with");
  cudnn = "Name: nvidia-cudnn-cu12\nVersion: 9.12.0.46\n\n";
  EXPECT_EQ(image.run("PAIR-TABLE").status, Status::warn);
  cudnn = "Name: nvidia-cudnn-cu12\nVersion: 10.10.0.1\n\n";
  EXPECT_EQ(image.run("PAIR-TABLE").status, Status::fail);
}

TEST(Pairing, ACudaThatTheReleaseWasNotPublishedForFails) {
  FakeImage image = good_image();
  set_torch(image, "2.8.0+cu121", "'12.1'");
  const std::vector<std::string> lines = complaints(image.run("PAIR-TABLE"));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("fail: torch 2.8 was not published for CUDA 12.1 | CUDA 12.6, "
                                  "12.8 (default), 12.9 | CUDA 12.1 | compatibility table; "));
}

TEST(Pairing, AReleaseThatTheTableDoesNotHaveWarns) {
  FakeImage image = good_image();
  set_torch(image, "9.9.0+cu128", "'12.8'");
  EXPECT_EQ(image.run("PAIR-TABLE").reason,
            "the compatibility table does not have torch 9.9.0+cu128");
}

TEST(Pairing, ACpuBuildIsSkipped) {
  FakeImage image = good_image();
  set_torch(image, "2.8.0+cpu", "None");
  EXPECT_EQ(image.run("PAIR-TABLE").reason, "torch is built without CUDA");
}

}  // namespace
}  // namespace img
