// SPDX-License-Identifier: Apache-2.0
// Tests of children: every way to end is seen and survived.
#include "validators/probes/child.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <unistd.h>

namespace probe {
namespace {

using std::chrono::seconds;

TEST(Child, TellsExitCodesAndSignalsApart) {
  const ChildEnd exited = run_forked([] { return 7; }, seconds(10));
  EXPECT_EQ(exited.kind, ChildEnd::Kind::exited);
  EXPECT_EQ(exited.code, 7);
  EXPECT_FALSE(exited.good());
  const ChildEnd signalled = run_forked(
      [] {
        std::signal(SIGABRT, SIG_DFL);
        ::raise(SIGABRT);
        return 0;
      },
      seconds(10));
  EXPECT_EQ(signalled.kind, ChildEnd::Kind::signalled);
  EXPECT_EQ(signalled.code, SIGABRT);
}

TEST(Child, IsKilledAtItsTimeLimitWithAllItStarted) {
  const ChildEnd end = run_program(
      {.argv = {"/bin/sh", "-c", "sleep 60 & echo $!; sleep 60"}, .timeout = seconds(1)});
  EXPECT_EQ(end.kind, ChildEnd::Kind::timed_out);
  EXPECT_LT(end.seconds, 30);
  const pid_t grandchild = std::atoi(end.output.c_str());
  ASSERT_GT(grandchild, 1);
  // It may be a zombie of whoever adopts it for a moment.
  for (int i = 0; i < 2000 && ::kill(grandchild, 0) == 0; ++i) {
    std::string state(64, '\0');
    std::FILE* const file =
        std::fopen(("/proc/" + std::to_string(grandchild) + "/stat").c_str(), "r");
    if (file == nullptr) break;
    state.resize(std::fread(state.data(), 1, state.size(), file));
    std::fclose(file);
    if (state.find(") Z") != std::string::npos) return;
    ::usleep(1000);
  }
  EXPECT_NE(::kill(grandchild, 0), 0);
}

TEST(Child, KeepsTheEndOfStandardErrorAndTheStartOfOutput) {
  const ChildEnd end = run_program(
      {.argv = {"/bin/sh", "-c",
                "i=0; while [ $i -lt 2000 ]; do echo line-$i >&2; i=$((i+1)); done; echo out"}});
  EXPECT_TRUE(end.good());
  EXPECT_EQ(end.output, "out\n");
  EXPECT_LE(end.stderr_tail.size(), 4096u);
  EXPECT_TRUE(end.stderr_tail.ends_with("line-1999\n"));
}

TEST(Child, SaysThatAProgramIsNotThere) {
  const ChildEnd end = run_program({.argv = {"/no/such/program"}});
  EXPECT_EQ(end.kind, ChildEnd::Kind::exited);
  EXPECT_EQ(end.code, 127);
}

TEST(Child, MeasuresWhatItUsed) {
  const ChildEnd end = run_forked(
      [] {
        std::string memory(32 << 20, 'x');
        return memory[12345] == 'x' ? 0 : 1;
      },
      seconds(10));
  EXPECT_TRUE(end.good());
  EXPECT_GT(end.max_rss_bytes, 32 << 20);
  EXPECT_GT(end.minor_faults, 0);
  EXPECT_GT(end.seconds, 0);
}

TEST(Child, GroupsRunAtTheSameTime) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  // The first waits for the second: one after the other would never end well.
  const auto results = run_group(
      2,
      [&](int index) {
        char byte = 'x';
        if (index == 1) return ::write(ends[1], &byte, 1) == 1 ? 0 : 1;
        return ::read(ends[0], &byte, 1) == 1 ? 0 : 1;
      },
      seconds(20));
  ASSERT_EQ(results.size(), 2u);
  EXPECT_TRUE(results[0].good());
  EXPECT_TRUE(results[1].good());
}

}  // namespace
}  // namespace probe
