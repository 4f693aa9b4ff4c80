// SPDX-License-Identifier: Apache-2.0
// Requirements of torch and cuda-toolkit, in the forms that were published.
#include "builder/facts/metadata.h"

#include "builder/base/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

std::string error_of(const std::string& requirement) {
  try {
    read_pins({requirement}, "torch.whl");
  } catch (const InputError& error) {
    return error.render();
  }
  return {};
}

TEST(Metadata, ReadsTheOldFormWithParentheses) {
  const TorchPins pins = torch_pins(
      read_pins({"filelock", "nvidia-cuda-nvrtc-cu12 (==12.1.105) ; platform_system == \"Linux\"",
                 "nvidia-cudnn-cu12 (==8.9.2.26) ; platform_system == \"Linux\"",
                 "nvidia-nccl-cu12 (==2.18.1) ; platform_system == \"Linux\"",
                 "triton (==2.1.0) ; platform_system == \"Linux\"",
                 "opt-einsum (>=3.3) ; extra == 'opt-einsum'"},
                "torch.whl"));
  EXPECT_EQ(pins.cudnn, "8.9.2.26");
  EXPECT_EQ(pins.nccl, "2.18.1");
  EXPECT_EQ(pins.triton, "2.1.0");
  EXPECT_EQ(pins.cusparselt, "");
  EXPECT_EQ(pins.toolkit, "");
  EXPECT_THAT(pins.components, ElementsAre(Pair("nvrtc", "12.1.105")));
}

TEST(Metadata, TakesComponentsFromCudaToolkit) {
  TorchPins pins = torch_pins(
      read_pins({"cuda-toolkit[cublas,cudart]==13.0.2; platform_system == \"Linux\"",
                 "nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"",
                 "nvidia-nvshmem-cu13==3.4.5", "triton~=3.9.0", "cuda-bindings<14,>=13.0.3"},
                "torch.whl"));
  EXPECT_EQ(pins.toolkit, "13.0.2");
  EXPECT_EQ(pins.nvshmem, "3.4.5");
  EXPECT_EQ(pins.triton, "~=3.9.0");
  add_toolkit_components(
      pins,
      read_pins({"nvidia-cublas==13.1.0.3.*; (sys_platform == 'linux') and extra == 'all'",
                 "nvidia-cublas==13.1.0.3.*; (sys_platform == 'linux') and extra == 'cublas'",
                 "nvidia-cuda-runtime==13.0.96.*; sys_platform == 'linux' and extra == 'cudart'",
                 "nvidia-cufft==12.0.0.61.*; sys_platform == 'linux' and extra == 'cufft'",
                 "nvidia-npp==13.0.1.2.*; extra == 'npp'"},
                "cuda_toolkit.whl"));
  EXPECT_THAT(pins.components, ElementsAre(Pair("cublas", "13.1.0.3"), Pair("runtime", "13.0.96")));
}

TEST(Metadata, WhatTorchPinsItselfWins) {
  TorchPins pins = torch_pins(
      read_pins({"cuda-toolkit[cublas]==13.0.2", "nvidia-cublas==13.1.1.3"}, "torch.whl"));
  add_toolkit_components(pins,
                         read_pins({"nvidia-cublas==13.1.0.3.*; extra == 'cublas'"}, "c.whl"));
  EXPECT_THAT(pins.components, ElementsAre(Pair("cublas", "13.1.1.3")));
}

TEST(Metadata, KeepsARangeApart) {
  const TorchPins pins = torch_pins(
      read_pins({"nvidia-cublas<=13.1.1.3,>=13.1.0.3; platform_system == \"Linux\""}, "t.whl"));
  EXPECT_TRUE(pins.components.empty());
  EXPECT_THAT(pins.ranges, ElementsAre(Pair("components.cublas", "<=13.1.1.3,>=13.1.0.3")));
}

TEST(Metadata, NamesARequirementThatIsNone) {
  EXPECT_EQ(error_of("==1.0"), "error: 'torch.whl' has a Requires-Dist that is none: '==1.0'");
  EXPECT_EQ(error_of("a[b==1"), "error: 'torch.whl' has a Requires-Dist that is none: 'a[b==1'");
  EXPECT_EQ(error_of("a (==1"), "error: 'torch.whl' has a Requires-Dist that is none: 'a (==1'");
  EXPECT_EQ(error_of("a 1.0"), "error: 'torch.whl' has a Requires-Dist that is none: 'a 1.0'");
  EXPECT_EQ(error_of("a"), "");
}

TEST(Metadata, OnlyOneEqualVersionIsExact) {
  const auto exact = [](const std::string& specifier) {
    return MetadataPin{.specifier = specifier}.exact().value_or("-");
  };
  EXPECT_EQ(exact("==1.2"), "1.2");
  EXPECT_EQ(exact("==1.2.*"), "1.2");
  for (const char* text : {"", ">=1", "==1,!=2", "===1", "~=1.0", "=="})
    EXPECT_EQ(exact(text), "-");
}

}  // namespace
}  // namespace img
