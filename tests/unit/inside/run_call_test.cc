// SPDX-License-Identifier: Apache-2.0
// Tests of limited programs: endless output, endless time, crashes and what is left behind.
#include "validators/inside/run_call.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <signal.h>
#include <stdlib.h>

namespace img {
namespace {

namespace fs = std::filesystem;

ProgramRun shell(const std::string& script, LimitedProgram program = {}) {
  program.argv = {"/bin/sh", "-c", script};
  return run_limited(program);
}

TEST(RunLimited, BringsBackOutputAndExitCode) {
  const ProgramRun run = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(run.end, RunEnd::exited);
  EXPECT_EQ(run.exit_code, 3);
  EXPECT_EQ(run.stdout_text, "out\n");
  EXPECT_EQ(run.stderr_tail, "err\n");
}

TEST(RunLimited, TellsSignals) {
  const ProgramRun run = shell("kill -ABRT $$");
  EXPECT_EQ(run.end, RunEnd::signalled);
  EXPECT_EQ(run.exit_code, 128 + SIGABRT);
}

TEST(RunLimited, EndsEndlessOutput) {
  const ProgramRun run =
      shell("yes", {.timeout = std::chrono::seconds(50), .stdout_bytes = 100'000});
  EXPECT_EQ(run.end, RunEnd::output_limit);
  EXPECT_EQ(run.reason, "more than 100,000 bytes");
  EXPECT_LT(run.stdout_text.size(), 400'000u);
}

TEST(RunLimited, KeepsOnlyTheEndOfEndlessErrors) {
  const ProgramRun run = shell("yes >&2", {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(run.end, RunEnd::timed_out);
  EXPECT_LE(run.stderr_tail.size(), 4096u);
}

TEST(RunLimited, EndsEndlessTimeEvenWithClosedStreams) {
  const ProgramRun open = shell("sleep 60", {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(open.end, RunEnd::timed_out);
  EXPECT_EQ(open.reason, "1 s");
  const ProgramRun closed =
      shell("exec >/dev/null 2>&1; sleep 60", {.timeout = std::chrono::seconds(1)});
  EXPECT_EQ(closed.end, RunEnd::timed_out);
  EXPECT_LT(closed.seconds, 30);
}

TEST(RunLimited, SetsAndRemovesVariables) {
  ASSERT_EQ(::setenv("IMG_TEST_A", "1", 1), 0);
  ASSERT_EQ(::setenv("IMG_TEST_B", "1", 1), 0);
  const ProgramRun run =
      shell("echo ${IMG_TEST_A-none} ${IMG_TEST_B-none} $IMG_TEST_C",
            {.env = {{"IMG_TEST_B", "two"}, {"IMG_TEST_C", "three"}}, .unset = {"IMG_TEST_A"}});
  EXPECT_EQ(run.stdout_text, "none two three\n");
}

TEST(RunCall, ReadsTheEventsOfAProbe) {
  std::string folder = fs::temp_directory_path() / "img-inside-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/versions")
      << "#!/bin/sh\n"
         "echo '{\"event\":\"start\"}'\n"
         "echo \"{\\\"event\\\":\\\"said\\\",\\\"what\\\":\\\"$*\\\"}\"\n"
         "echo '{\"event\":\"end\"}'\n";
  fs::permissions(folder + "/versions", fs::perms::owner_all);
  ProbeCall call{.label = "v", .probe = "versions", .arguments = {"--torch", "/t"}};
  const ProbeRun run = run_call(folder, call);
  EXPECT_EQ(run.label, "v");
  EXPECT_TRUE(run.complete);
  ASSERT_EQ(run.events.size(), 3u);
  EXPECT_EQ(run.events[1]["what"], "--torch /t");
  call.probe = "no-such-probe";
  EXPECT_EQ(run_call(folder, call).exit_code, 127);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace img
