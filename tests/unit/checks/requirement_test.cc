// SPDX-License-Identifier: Apache-2.0
// The grammar of NVIDIA_REQUIRE_*, and REQ-ENV.
#include "validators/checks/requirement.h"

#include "tests/unit/checks/fake_image.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::ElementsAre;
using testing::FakeImage;
using testing::good_image;

const GpuHost kHost{.cuda = "12.2", .driver = "535.54.3", .arch = "8.6", .brand = "geforce"};

bool lets_in(const char* text, GpuHost host = kHost) {
  const Requirement requirement = parse_requirement(text);
  EXPECT_THAT(requirement.problems, ElementsAre()) << text;
  return is_satisfied(requirement, host);
}

TEST(Requirement, CommaIsAndSpaceIsOr) {
  EXPECT_TRUE(lets_in("cuda>=12.0"));
  EXPECT_FALSE(lets_in("cuda>=12.8"));
  EXPECT_TRUE(lets_in("cuda>=12.8 driver>=525"));
  EXPECT_FALSE(lets_in("cuda>=12.0,driver>=550"));
  EXPECT_TRUE(lets_in("cuda>=13.0  brand=tesla,driver>=470 arch>=8.0"));
  EXPECT_FALSE(lets_in("brand=tesla,driver>=470,driver<471"));
}

TEST(Requirement, HasSixComparisons) {
  EXPECT_TRUE(lets_in("cuda=12.2"));
  EXPECT_FALSE(lets_in("cuda!=12.2"));
  EXPECT_TRUE(lets_in("cuda<=12.2"));
  EXPECT_FALSE(lets_in("cuda<12.2"));
  EXPECT_FALSE(lets_in("cuda>12.2"));
  EXPECT_TRUE(lets_in("cuda>=12.2.0"));
  EXPECT_TRUE(lets_in("brand!=tesla"));
}

TEST(Requirement, NumbersAreComparedAsNumbers) {
  EXPECT_FALSE(lets_in("cuda>=12.10"));
  EXPECT_FALSE(lets_in("arch>=10.0"));
}

TEST(Requirement, NothingAskedIsSatisfied) { EXPECT_TRUE(lets_in("")); }

TEST(Requirement, WhatIsNotOfTheGrammarIsNamed) {
  const auto problems = [](const char* text) { return parse_requirement(text).problems; };
  EXPECT_THAT(problems("cuda"), ElementsAre("'cuda' is no comparison"));
  EXPECT_THAT(problems(">=12.0"), ElementsAre("'>=12.0' is no comparison"));
  EXPECT_THAT(problems("cuda>="), ElementsAre("'cuda>=' is no comparison"));
  EXPECT_THAT(problems("cuda!12"), ElementsAre("'cuda!12' is no comparison"));
  EXPECT_THAT(problems("cuda=>12"), ElementsAre("'cuda=>12' is no comparison"));
  EXPECT_THAT(problems("cuda>=12.0,"), ElementsAre("'cuda>=12.0,' has an empty condition"));
  EXPECT_THAT(problems("cuda>=twelve"), ElementsAre("the version of 'cuda>=twelve' is no version"));
  EXPECT_THAT(problems("cuda>=1.2.3.4"),
              ElementsAre("the version of 'cuda>=1.2.3.4' has more than three parts"));
  EXPECT_THAT(
      problems("driver>=450.80.02"),
      ElementsAre("the version of 'driver>=450.80.02' has a part with a leading zero, which "
                  "the container toolkit refuses"));
  EXPECT_THAT(problems("gpu>=2"), ElementsAre("'gpu>=2' asks for 'gpu', of which the container "
                                              "toolkit takes no notice"));
}

TEST(RequireEnv, TheFloorOfTheCudaMajorPasses) {
  FakeImage image = good_image();
  EXPECT_EQ(image.run("REQ-ENV").status, Status::pass);
  image.env("NVIDIA_REQUIRE_CUDA", "driver>=525");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::pass) << image.run("REQ-ENV").reason;
}

TEST(RequireEnv, StricterWarns) {
  FakeImage image = good_image();
  image.env("NVIDIA_REQUIRE_CUDA", "cuda>=12.8");
  EXPECT_THAT(complaints(image.run("REQ-ENV")),
              ElementsAre("warn: 15 drivers on which CUDA 12 runs would be refused, such as "
                          "525.60.13 (CUDA 12.0) | driver 525.60.13 or newer, as cuda>=12.0 says | "
                          "NVIDIA_REQUIRE_CUDA=cuda>=12.8 | compatibility table"));
}

TEST(RequireEnv, LaxerFails) {
  FakeImage image = good_image();
  image.env("NVIDIA_REQUIRE_CUDA", "cuda>=11.8");
  EXPECT_EQ(image.run("REQ-ENV").reason,
            "drivers are let in on which CUDA 12 does not run, such as 520.61.05 (CUDA 11.8)");
}

TEST(RequireEnv, DataCentreCardsMayHaveOlderDriversWithACompatLibrary) {
  FakeImage image = good_image();
  image.env("NVIDIA_REQUIRE_CUDA", "cuda>=12.0 brand=tesla,driver>=510,driver<521");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::fail);
  image.elf("/usr/local/cuda/compat/libcuda.so.570.86.10", "libcuda.so.1");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::pass);
}

TEST(RequireEnv, SeveralVariablesHoldTogether) {
  FakeImage image = good_image();
  image.env("NVIDIA_REQUIRE_DRIVER", "driver>=550");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::warn);
}

TEST(RequireEnv, WhatDoesNotParseFails) {
  FakeImage image = good_image();
  image.env("NVIDIA_REQUIRE_CUDA", "cuda=>12.0");
  EXPECT_EQ(image.run("REQ-ENV").reason, "NVIDIA_REQUIRE_CUDA: 'cuda=>12.0' is no comparison");
}

TEST(RequireEnv, AbsentRequirementsAndLegacyImagesWarn) {
  FakeImage image = good_image();
  image.unset("NVIDIA_REQUIRE_CUDA");
  EXPECT_EQ(
      image.run("REQ-ENV").reason,
      "no NVIDIA_REQUIRE_CUDA: a host with too old a driver is noticed at the first call only");
  image.env("CUDA_VERSION", "12.8.1");
  EXPECT_EQ(image.run("REQ-ENV").reason,
            "CUDA_VERSION=12.8.1 alone makes the container toolkit ask for that CUDA version or "
            "newer, which is stricter than CUDA 12 needs");
}

TEST(RequireEnv, CapabilitiesAreComputeAndUtility) {
  FakeImage image = good_image();
  image.env("NVIDIA_DRIVER_CAPABILITIES", "utility");
  EXPECT_EQ(image.run("REQ-ENV").reason, "the driver's compute libraries are not asked for");
  image.env("NVIDIA_DRIVER_CAPABILITIES", "compute");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::warn);
  image.env("NVIDIA_DRIVER_CAPABILITIES", "compute,utilities");
  EXPECT_EQ(image.run("REQ-ENV").reason, "'utilities' is no capability of the driver");
  image.env("NVIDIA_DRIVER_CAPABILITIES", "all");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::pass);
}

TEST(RequireEnv, DevicesAreAskedFor) {
  FakeImage image = good_image();
  image.env("NVIDIA_VISIBLE_DEVICES", "void");
  EXPECT_EQ(image.run("REQ-ENV").reason, "the image asks for no GPU at all");
  image.unset("NVIDIA_VISIBLE_DEVICES");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::warn);
}

TEST(RequireEnv, SwitchingRequirementsOffWarns) {
  FakeImage image = good_image();
  image.env("NVIDIA_DISABLE_REQUIRE", "true");
  EXPECT_EQ(image.run("REQ-ENV").status, Status::warn);
}

}  // namespace
}  // namespace img
