// SPDX-License-Identifier: Apache-2.0
// The tier as a whole: which checks there are, and what happens when they cannot look.
#include "tests/unit/checks/fake_image.h"
#include "validators/checks/check.h"
#include "validators/judge/catalogue.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::good_image;

TEST(StaticTier, HasExactlyTheChecksOfTheCatalogueInItsOrder) {
  std::vector<std::string> listed, made;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier == Tier::image) listed.emplace_back(info.id);
  }
  for (const StaticCheck& check : static_checks()) made.push_back(check.id);
  EXPECT_EQ(listed, made);
}

TEST(StaticTier, EveryCheckPassesAGoodImageWithEvidence) {
  const auto image = good_image();
  const StaticInput input = image.input();
  for (const CheckResult& result : run_static_tier(input, expectations_of(input))) {
    if (result.id == "IMG-SIZE") {
      EXPECT_EQ(result.status, Status::skipped);
      EXPECT_EQ(result.reason, "the manifest sets no size limit");
      continue;
    }
    EXPECT_EQ(result.status, Status::pass) << result.id << ": " << result.reason;
    EXPECT_FALSE(result.findings.empty()) << result.id;
  }
}

TEST(StaticTier, RunsOnlyTheChecksThatAreAskedFor) {
  const auto image = good_image();
  const StaticInput input = image.input();
  const auto results = run_static_tier(input, expectations_of(input), {"REQ-ENV", "CUDNN-SET"});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].id, "CUDNN-SET");
  EXPECT_EQ(results[1].id, "REQ-ENV");
}

TEST(StaticTier, WithoutAManifestChecksThatNeedOneAreSkippedAndTheOthersJudge) {
  auto image = good_image();
  image.with_manifest = false;
  const StaticInput input = image.input();
  std::vector<std::string> without;
  for (const CheckResult& result : run_static_tier(input, expectations_of(input))) {
    if (result.status == Status::skipped) {
      EXPECT_EQ(result.reason, "no manifest was given") << result.id;
      without.push_back(result.id);
    } else {
      EXPECT_EQ(result.status, Status::pass) << result.id << ": " << result.reason;
    }
  }
  EXPECT_EQ(without, (std::vector<std::string>{"IMG-SIZE", "ARCH-LIST", "PAIR-PROMISE"}));
}

TEST(StaticTier, AnImageWithoutCudaNeverPassesACudaCheck) {
  testing::FakeImage image;
  testing::add_debian(image);
  image.with_manifest = false;
  image.env("PATH", "/usr/bin");
  const StaticInput input = image.input();
  std::map<std::string, std::string> skipped;
  for (const CheckResult& result : run_static_tier(input, expectations_of(input))) {
    if (result.status == Status::skipped) skipped[result.id] = result.reason;
  }
  for (const char* id : {"ELF-SYMS", "LIB-ONECOPY", "CUDNN-SET", "DRV-NOTBAKED", "DRV-STUB",
                         "COMPAT-NOTE", "REQ-ENV", "ARCH-LIST"}) {
    EXPECT_EQ(skipped[id], "the image has no CUDA libraries") << id;
  }
  EXPECT_EQ(skipped["ELF-CXXABI"], "the image has no torch");
  EXPECT_EQ(skipped["PAIR-TABLE"], "the image has no torch");
}

TEST(StaticTier, ALayerThatCannotBeReadBlocksWhateverLooksAtTheWhole) {
  auto image = good_image();
  image.facts.layers[1].problems = {"unexpected end of the archive"};
  image.facts.layers[1].actual_diff_id.clear();
  const StaticInput input = image.input();
  for (const CheckResult& result : run_static_tier(input, expectations_of(input))) {
    if (result.id == "IMG-LAYER") {
      EXPECT_EQ(result.status, Status::fail);
    } else if (result.id == "IMG-CONFIG") {
      EXPECT_EQ(result.status, Status::pass);
    } else {
      EXPECT_EQ(result.status, Status::blocked) << result.id;
    }
  }
}

TEST(Expectations, SayWhatManifestLockAndFilesSay) {
  const auto image = good_image();
  const Expectations expectations = expectations_of(image.input());
  EXPECT_EQ(expectations.manifest_name, "fake:1");
  EXPECT_EQ(expectations.manifest_checksum, image.manifest.checksum());
  EXPECT_EQ(expectations.versions.at("cudnn"), "9.10");
  EXPECT_EQ(expectations.packages.size(), 4u);
  EXPECT_EQ(expectations.python, "/opt/venv/bin/python3");
  EXPECT_FALSE(expectations.compile);
  EXPECT_EQ(expectations.torch_folder, testing::kSite + "/torch");
  EXPECT_EQ(expectations.torch_version, "2.8.0+cu128");
  EXPECT_EQ(expectations.torch_cuda, "12.8");
  EXPECT_EQ(expectations.library_versions.at("cudart"), "12.8.90");
  EXPECT_EQ(expectations.library_versions.at("nccl"), "2.27.3");
  std::map<std::string, std::string> libraries;
  for (const ExpectedLibrary& library : expectations.libraries) {
    libraries[library.soname] = library.path;
  }
  EXPECT_EQ(libraries["libcudnn_ops.so.9"], testing::kSite + "/nvidia/cudnn/lib/libcudnn_ops.so.9");
  EXPECT_EQ(libraries["libtorch_cuda.so"], testing::kTorchLib + "/libtorch_cuda.so");
  EXPECT_EQ(libraries["libcudart.so.12"],
            testing::kSite + "/nvidia/cuda_runtime/lib/libcudart.so.12");
  EXPECT_FALSE(libraries.contains("libc.so.6"));
}

TEST(Expectations, ACompilerIsAPromiseOfTorchCompile) {
  auto image = good_image();
  image.file("/usr/bin/g++", 10, 0755);
  EXPECT_TRUE(expectations_of(image.input()).compile);
}

}  // namespace
}  // namespace img
