// SPDX-License-Identifier: Apache-2.0
// Whether an image works on a GPU under a driver branch, against the published facts.

#include "tests/unit/matrix/sample.h"
#include "validators/matrix/parts.h"

#include <gtest/gtest.h>

namespace img {
namespace {

std::string on(const Report& report, const std::string& gpu, const std::string& branch) {
  const Matrix matrix = matrix_of({report});
  return said(cell_of(matrix, gpu, branch));
}

TEST(GpuRules, WorksFromTheFloorOfItsMajorOn) {
  const Matrix matrix = matrix_of({sample_image()});
  EXPECT_EQ(said(cell_of(matrix, "T4", "R470")), "does not (derived) DRIVER-FLOOR");
  EXPECT_EQ(said(cell_of(matrix, "T4", "R525")), "limited (derived) MINOR-VERSION");
  EXPECT_EQ(cell_of(matrix, "T4", "R525").from_driver, "525.60.13");
  EXPECT_EQ(said(cell_of(matrix, "T4", "R560")), "limited (derived) MINOR-VERSION");
  EXPECT_EQ(said(cell_of(matrix, "T4", "R570")), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(said(cell_of(matrix, "T4", "R580")), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(cell_of(matrix, "T4", "R580").from_driver, "");
}

TEST(GpuRules, GpuWithoutCodeDoesNotWork) {
  EXPECT_EQ(on(sample_image(), "P100", "R580"), "does not (derived) GPU-CODE");
  EXPECT_EQ(on(sample_image(), "L4", "R580"), "works (derived) DRIVER-FLOOR");    // through 8.6
  EXPECT_EQ(on(sample_image(), "B300", "R590"), "works (derived) DRIVER-FLOOR");  // through 10.0
}

TEST(GpuRules, DriversThatDoNotKnowTheGpu) {
  EXPECT_EQ(on(sample_image(), "B200", "R560"), "does not (derived) GPU-DRIVER");
  EXPECT_EQ(on(sample_image(), "V100", "R580"), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(on(sample_image(), "V100", "R590"), "does not (derived) GPU-DRIVER");
  // Nobody here has read when H200 came; between its architecture and the first known driver
  // nothing is said.
  EXPECT_EQ(on(sample_image(), "H200", "R535"), "unknown (none) GPU-DRIVER");
}

TEST(GpuRules, BlackwellNeedsItsOwnDriver) {
  const Matrix matrix = matrix_of({sample_image()});
  EXPECT_EQ(said(cell_of(matrix, "B200", "R570")), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(cell_of(matrix, "B200", "R570").from_driver, "570.133.20");
}

TEST(GpuRules, MachinesOfAnotherArchitecture) {
  EXPECT_EQ(on(sample_image(), "GB10", "R590"), "does not (derived) HOST");
  Report report = sample_image();
  report.facts["platform"] = "linux/arm64";
  EXPECT_EQ(on(report, "GB10", "R590"), "works (derived) DRIVER-FLOOR");
  report.facts.erase("platform");
  EXPECT_EQ(on(report, "GB10", "R590"), "unknown (none) HOST");
}

TEST(GpuRules, PtxNeedsADriverThatCompilesIt) {
  Report report = sample_image();
  report.facts["gpu_code"] = "sm_80 compute_80";
  EXPECT_EQ(on(report, "H100", "R560"), "does not (derived) PTX");
  EXPECT_EQ(on(report, "H100", "R570"), "limited (derived) PTX");
  report.facts["gpu_code"] = "sm_90a";
  EXPECT_EQ(on(report, "H100", "R570"), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(on(report, "A100", "R570"), "does not (derived) GPU-CODE");
  EXPECT_EQ(on(report, "B200", "R580"), "does not (derived) GPU-CODE");
}

TEST(GpuRules, Cuda13RaisesTheFloor) {
  Report report = sample_image();
  report.facts["torch"] = "2.11.0+cu130";
  report.facts["cuda"] = "13.0";
  report.facts["cudnn"] = "9.19.0.56";
  report.facts["gpu_code"] = "sm_75 sm_80 sm_86 sm_90 sm_100 sm_120";
  EXPECT_EQ(on(report, "H100", "R570"), "does not (derived) DRIVER-FLOOR");
  EXPECT_EQ(on(report, "H100", "R580"), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(cell_of(matrix_of({report}), "H100", "R580").from_driver, "580.95.05");
  EXPECT_EQ(on(report, "V100", "R580"), "does not (derived) GPU-CODE");
}

TEST(GpuRules, OldGpuWithANewCudnnIsLimited) {
  Report report = sample_image();
  report.facts["cudnn"] = "9.11.0.98";
  EXPECT_EQ(on(report, "V100", "R580"), "limited (derived) CUDNN-GPU");
  EXPECT_EQ(on(report, "T4", "R580"), "works (derived) DRIVER-FLOOR");
}

TEST(GpuRules, WithoutReadingTheImageItIsAClaim) {
  Report report = sample_image();
  report.facts.erase("gpu_code");
  EXPECT_EQ(on(report, "T4", "R580"), "works (claimed) DRIVER-FLOOR");
  EXPECT_EQ(on(report, "P100", "R570"), "does not (claimed) GPU-CODE");
  // What ARCH-LIST saw in the files is no claim.
  CheckResult arch = passing("ARCH-LIST", Tier::image);
  arch.findings = {{.message = "seen",
                    .path = "/torch/lib/libtorch_cuda.so",
                    .expected = "code for T4 (7.5)",
                    .actual = "sm_75"}};
  report.checks.push_back(arch);
  EXPECT_EQ(on(report, "T4", "R580"), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(on(report, "A100", "R580"), "works (claimed) DRIVER-FLOOR");
}

TEST(GpuRules, BlockedIsNeverGreen) {
  Report report = sample_image();
  report.checks = {passing("ELF-CLOSURE", Tier::image),
                   blocked("LOAD-TORCH", Tier::container, "no runtime")};
  EXPECT_EQ(on(report, "T4", "R580"), "unknown (none) CHECK");
  EXPECT_EQ(on(report, "P100", "R580"), "does not (derived) GPU-CODE");
  report.checks = {failing("LOAD-TORCH")};
  EXPECT_EQ(on(report, "T4", "R580"), "does not (derived) CHECK");
  report.checks = {failing("CUDNN-SET", Tier::image), passing("LOAD-TORCH")};
  EXPECT_EQ(on(report, "T4", "R580"), "limited (derived) CHECK");
  report.checks = {passing("LOAD-TORCH")};
  report.checks.front().simulated = true;
  EXPECT_EQ(on(report, "T4", "R580"), "unknown (none) CHECK");
}

TEST(GpuRules, NothingKnownIsUnknown) {
  Report report = sample_image();
  report.facts.clear();
  EXPECT_EQ(on(report, "T4", "R580"), "unknown (none) FACTS");
  report.facts = {{"torch", "2.8.0+cpu"}};
  EXPECT_EQ(on(report, "T4", "R580"), "does not (derived) NO-CUDA");
  report.facts = {{"torch", "9.9.0"}, {"cuda", "12.8"}};
  EXPECT_EQ(on(report, "T4", "R580"), "unknown (none) GPU-CODE");
  report.facts = {{"torch", "9.9.0"}, {"cuda", "77.0"}};
  EXPECT_EQ(on(report, "T4", "R580"), "unknown (none) DRIVER-FLOOR");
}

Report tested_on(const std::string& gpu, const std::string& driver, std::vector<CheckResult> more) {
  Report report = sample_image();
  report.started = "2026-11-26T08:00:00Z";
  report.machine.gpus = {gpu};
  report.machine.driver = driver;
  report.checks.insert(report.checks.end(), more.begin(), more.end());
  return report;
}

TEST(Tested, GpuTierOnThatGpuAndDriverCounts) {
  const Matrix matrix = matrix_of({sample_image(), tested_on("NVIDIA H100 80GB HBM3", "580.95.05",
                                                             {passing("CC-KERNEL", Tier::gpu)})});
  EXPECT_EQ(said(cell_of(matrix, "H100", "R580")), "works (tested) TESTED");
  EXPECT_EQ(cell_of(matrix, "H100", "R580").tested,
            "2026-11-26 on NVIDIA H100 80GB HBM3, driver 580.95.05");
  EXPECT_EQ(said(cell_of(matrix, "H100", "R570")), "works (derived) DRIVER-FLOOR");
  EXPECT_EQ(said(cell_of(matrix, "H200", "R580")), "works (derived) DRIVER-FLOOR");
}

TEST(Tested, FailuresBlocksAndStandInsThere) {
  const auto with = [](CheckResult check) {
    const Matrix matrix = matrix_of({tested_on("Tesla T4", "580.65.06", {std::move(check)})});
    return said(cell_of(matrix, "T4", "R580"));
  };
  EXPECT_EQ(with(failing("UNKNOWN-CHECK", Tier::gpu)), "does not (tested) TESTED");
  EXPECT_EQ(with(blocked("CC-KERNEL", Tier::gpu, "no device")), "works (derived) DRIVER-FLOOR");
  CheckResult simulated = passing("CC-KERNEL", Tier::gpu);
  simulated.simulated = true;
  EXPECT_EQ(with(simulated), "works (derived) DRIVER-FLOOR");
}

TEST(Tested, DevicesAreKnownByWholeWords) {
  const auto& models = builtin_compatibility().gpus;
  const auto name = [&](const char* device) {
    const GpuModel* const model = model_of(device, models);
    return model == nullptr ? std::string("none") : model->name;
  };
  EXPECT_EQ(name("NVIDIA A100-SXM4-80GB"), "A100");
  EXPECT_EQ(name("NVIDIA A10G"), "A10G");
  EXPECT_EQ(name("NVIDIA A10"), "A10");
  EXPECT_EQ(name("Tesla T4"), "T4");
  EXPECT_EQ(name("NVIDIA GeForce RTX 4090"), "RTX 4090");
  EXPECT_EQ(name("NVIDIA RTX PRO 6000 Blackwell Server Edition"), "RTX PRO 6000 Blackwell");
  EXPECT_EQ(name("AMD Instinct MI300X"), "none");
}

}  // namespace
}  // namespace img
