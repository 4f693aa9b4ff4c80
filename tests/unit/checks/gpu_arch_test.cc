// SPDX-License-Identifier: Apache-2.0
// ARCH-LIST: which code runs on which GPU.
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
using testing::gpu_code;
using ::testing::HasSubstr;
using testing::kTorchLib;

/// torch has this code only; the image promises these GPUs.
FakeImage torch_with(FatBinaries code, std::vector<std::string> gpus) {
  FakeImage image = good_image();
  image.facts.elf[kTorchLib + "/libtorch_cuda.so"].gpu_code = std::move(code);
  image.manifest.supports.gpus = std::move(gpus);
  for (auto& [path, elf] : image.facts.elf) {
    if (path.find("/nvidia/") != std::string::npos) elf.gpu_code = {};
  }
  return image;
}

TEST(GpuArch, SaysWhichCodeEachGpuRuns) {
  EXPECT_THAT(evidence(good_image().run("ARCH-LIST")),
              Contains("'libtorch_cuda.so' has sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120; T4 "
                       "(7.5) runs sm_75"));
}

TEST(GpuArch, ANewerMajorIsNotServed) {
  const FatBinaries code = gpu_code({{75, 0}, {80, 0}, {90, 0}});
  EXPECT_THAT(
      complaints(torch_with(code, {"T4", "B200", "H100"}).run("ARCH-LIST")),
      ElementsAre("fail: 'libtorch_cuda.so' has no code for B200 (10.0): it has sm_75 sm_80 "
                  "sm_90 | code for B200 (10.0) | none | manifest, supports.gpus"));
}

TEST(GpuArch, OlderMinorsServeNewerOnesOfTheirMajorOnly) {
  const FatBinaries code = gpu_code({{80, 0}});
  EXPECT_EQ(torch_with(code, {"A10", "L4"}).run("ARCH-LIST").status, Status::pass);
  EXPECT_EQ(torch_with(code, {"T4"}).run("ARCH-LIST").status, Status::fail);
  EXPECT_EQ(torch_with(gpu_code({{86, 0}}), {"A100"}).run("ARCH-LIST").status, Status::fail);
}

TEST(GpuArch, CodeOfOneArchitectureRunsOnThatOneOnly) {
  EXPECT_EQ(torch_with(gpu_code({{90, 'a'}}), {"H100"}).run("ARCH-LIST").status, Status::pass);
  EXPECT_EQ(torch_with(gpu_code({{100, 'a'}}), {"B300"}).run("ARCH-LIST").status, Status::fail);
  EXPECT_EQ(torch_with(gpu_code({{100, 'f'}}), {"B300"}).run("ARCH-LIST").status, Status::pass);
  EXPECT_EQ(torch_with(gpu_code({{100, 'f'}}), {"RTX 5090"}).run("ARCH-LIST").status, Status::fail);
}

TEST(GpuArch, PtxServesEveryNewerDevice) {
  FatBinaries code = gpu_code({{75, 0}});
  code.ptx[{80, 0}] = 100;
  EXPECT_THAT(evidence(torch_with(code, {"B200"}).run("ARCH-LIST")),
              Contains(HasSubstr("B200 (10.0) runs compute_80 (PTX)")));
  code.ptx = {{{90, 'a'}, 100}};
  EXPECT_EQ(torch_with(code, {"B200"}).run("ARCH-LIST").status, Status::fail);
}

TEST(GpuArch, SingleKernelsDoNotMakeALibraryServe) {
  FatBinaries code = gpu_code({{80, 0}});
  code.machine[{90, 0}] = 3;
  const CheckResult result = torch_with(code, {"H100"}).run("ARCH-LIST");
  EXPECT_EQ(result.status, Status::fail);
  EXPECT_THAT(evidence(result), Contains("of 100 fat binaries of 'libtorch_cuda.so' only some have "
                                         "further code: sm_90 in 3"));
}

TEST(GpuArch, CodeThatIsNotReadableIsSaidNotGuessed) {
  FatBinaries code;
  code.limits = {"section '.nv_fatbin' begins with no fat binary"};
  const CheckResult result = torch_with(code, {"H100"}).run("ARCH-LIST");
  EXPECT_EQ(result.status, Status::blocked);
  EXPECT_EQ(result.reason,
            "the GPU code of 'libtorch_cuda.so' is not readable: section "
            "'.nv_fatbin' begins with no fat binary");
}

TEST(GpuArch, NcclAndCudnnAreHeldToItToo) {
  FakeImage image = good_image();
  image.facts.elf[testing::kSite + "/nvidia/nccl/lib/libnccl.so.2"].gpu_code =
      gpu_code({{80, 0}, {90, 0}, {100, 0}});
  EXPECT_THAT(complaints(image.run("ARCH-LIST")),
              ElementsAre("fail: 'libnccl.so.2' has sm_80 sm_90 sm_100, none for T4 (7.5) | code "
                          "for T4 (7.5) | none | manifest, supports.gpus"));
  image.facts.elf[testing::kSite + "/nvidia/nccl/lib/libnccl.so.2"].gpu_code.limits = {"x"};
  EXPECT_EQ(image.run("ARCH-LIST").status, Status::warn);
}

TEST(GpuArch, CodeInOtherSectionsCountsForNvidiasLibraries) {
  FakeImage image = good_image();
  FatBinaries& code = image.facts.elf[testing::kSite + "/nvidia/nccl/lib/libnccl.so.2"].gpu_code;
  code = gpu_code({{80, 0}, {90, 0}, {100, 0}});
  code.other_machine[{70, 0}] = 5;
  EXPECT_EQ(image.run("ARCH-LIST").status, Status::pass);
}

}  // namespace
}  // namespace img
