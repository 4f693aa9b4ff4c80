// SPDX-License-Identifier: Apache-2.0
// Tests of the command line of imgcheck-inside.
#include "validators/inside/options.h"

#include "builder/base/error.h"
#include "validators/inside/checks_inside.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace img {
namespace {

std::string problem_of(const std::vector<std::string>& arguments) {
  try {
    parse_inside_options(arguments);
    return "none";
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(InsideOptions, ReadEveryFlagInBothForms) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const InsideOptions options =
      parse_inside_options({"--expectations", "/e.json", "--image-digest=" + digest, "--check",
                            "sdpa-cpu", "--check=VER-NCCL", "--cold-samples", "7", "--format=json",
                            "-o", "/r.json", "--bundle", "/b"});
  EXPECT_EQ(options.expectations, "/e.json");
  EXPECT_EQ(options.image_digest, digest);
  EXPECT_EQ(options.checks, (std::vector<std::string>{"SDPA-CPU", "VER-NCCL"}));
  EXPECT_EQ(options.cold_samples, 7);
  EXPECT_EQ(options.format, ReportFormat::json);
  EXPECT_EQ(options.output, "/r.json");
  EXPECT_EQ(options.bundle, "/b");
}

TEST(InsideOptions, SayWhatIsWrong) {
  EXPECT_EQ(problem_of({"--what"}), "unknown argument '--what'");
  EXPECT_EQ(problem_of({"image"}), "unknown argument 'image'");
  EXPECT_EQ(problem_of({"--check"}), "no value after '--check'");
  EXPECT_EQ(problem_of({"--check", "NO-SUCH"}), "there is no check 'NO-SUCH'");
  EXPECT_EQ(problem_of({"--cold-samples", "0"}),
            "'--cold-samples' is not a number from 1 to 100: '0'");
  EXPECT_EQ(problem_of({"--image-digest", "sha256:abc"}),
            "'--image-digest' is no digest: 'sha256:abc' is not 'sha256:' and 64 digits");
}

TEST(InsideHelp, FitsATerminal) {
  std::string line;
  for (const char c : inside_help()) {
    if (c != '\n') {
      line += c;
      continue;
    }
    EXPECT_LE(line.size(), 80u) << line;
    line.clear();
  }
}

TEST(InsideExitCode, NeverTakesBlockedOrNothingForGood) {
  Report report;
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
  report.checks = {skipped("IMG-SIZE", Tier::image, "x")};
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
  CheckResult good{.id = "A", .tier = Tier::container, .status = Status::pass};
  report.checks.push_back(good);
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::ok);
  report.checks.push_back(blocked("B", Tier::container, "x"));
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
  good.status = Status::fail;
  report.checks.push_back(good);
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::difference);
}

TEST(InsideExitCode, CountsTheGpuTiersWhereTheyHaveToRun) {
  Report report;
  report.checks = {{.id = "A", .tier = Tier::container, .status = Status::pass},
                   blocked("B", Tier::gpu, "no GPU")};
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::ok);
  InsideOptions required;
  required.required = {Tier::gpu};
  EXPECT_EQ(exit_code_inside(report, required), ExitCode::unavailable);
  report.machine.gpus = {"H100"};
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
  report.checks = {blocked("B", Tier::gpu, "no GPU")};
  report.machine.gpus.clear();
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
}

TEST(InsideExitCode, NeverTakesASimulatedResultForGood) {
  Report report;
  report.machine.gpus = {"fake"};
  report.checks = {{.id = "A", .tier = Tier::container, .status = Status::pass},
                   {.id = "B", .tier = Tier::gpu, .status = Status::pass, .simulated = true}};
  EXPECT_EQ(exit_code_inside(report, {}), ExitCode::unavailable);
}

TEST(InsideOptions, TakeTiersThatMustRun) {
  EXPECT_EQ(parse_inside_options({"--require-tier", "gpu", "--require-tier=multi-gpu"}).required,
            (std::vector<Tier>{Tier::gpu, Tier::multi_gpu}));
  EXPECT_EQ(problem_of({"--require-tier", "static"}),
            "'--require-tier' takes container, gpu or multi-gpu, not 'static'");
}

}  // namespace
}  // namespace img
