// SPDX-License-Identifier: Apache-2.0
// Hostile programs in real containers: bounded in time, memory and output, and the host untouched.
#include "builder/base/error.h"
#include "tests/unit/runner/container_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make images of
using ::testing::HasSubstr;

class ContainerTest : public ContainerFixture {};

TEST_F(ContainerTest, IsAloneAndHasNoRights) {
  image().config.env = {"PATH=/bin", "IMAGE=yes", "GONE=1"};
  image().config.working_dir = "/srv/work";
  const ProbeRun run = this->run({"look"}, {.env = {{"CALL", "yes"}}, .unset = {"GONE"}});
  ASSERT_EQ(run.end, RunEnd::exited) << run.reason << run.stderr_tail;
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_TRUE(run.complete);
  EXPECT_EQ(value(run, "uid"), "65532");
  EXPECT_EQ(value(run, "gid"), "65532");
  EXPECT_EQ(value(run, "cwd"), "/srv/work");
  EXPECT_EQ(value(run, "descriptors"), "0 1 2 ");
  EXPECT_EQ(value(run, "interfaces"), "lo ");
  EXPECT_EQ(value(run, "capabilities"), "0000000000000000 0000000000000000");
  EXPECT_EQ(value(run, "no-new-privileges"), "1");
  EXPECT_EQ(value(run, "seccomp"), runtime().traits().seccomp ? "2" : "0");
  // Its own numbering of processes: the runtime's threads come first, and nobody of the host.
  EXPECT_LT(std::stoi(value(run, "pid")), 64);
  EXPECT_EQ(value(run, "core"), "0");
  EXPECT_EQ(value(run, "env-call"), "yes");
  EXPECT_EQ(value(run, "env-image"), "yes");
  EXPECT_EQ(value(run, "env-unset"), "unset");
  EXPECT_EQ(value(run, "passwd"), "ok");
  EXPECT_GT(run.start_seconds, 0);
  EXPECT_LT(run.start_seconds, run.seconds);
}

TEST_F(ContainerTest, InheritsNoDescriptorOfThisProcess) {
  const Fd leak(open("/etc/passwd", O_RDONLY));  // not close-on-exec
  const Fd high(fcntl(leak.get(), F_DUPFD, 500));
  EXPECT_EQ(value(run({"look"}), "descriptors"), "0 1 2 ");
}

TEST_F(ContainerTest, WritesNowhereButInTmp) {
  const ProbeRun run = this->run({"write"});
  EXPECT_EQ(value(run, "root"), "EROFS");
  EXPECT_EQ(value(run, "bundle"), "EROFS");
  EXPECT_EQ(value(run, "image"), "EROFS");
  EXPECT_NE(value(run, "sysctl"), "ok");
  EXPECT_NE(value(run, "sysrq"), "ok");
  EXPECT_THAT((std::vector<std::string>{"EROFS", "EACCES", "ENOENT"}),
              ::testing::Contains(value(run, "sys")));
  EXPECT_THAT((std::vector<std::string>{"EROFS", "EACCES"}),
              ::testing::Contains(value(run, "dev")));
  EXPECT_EQ(value(run, "tmp"), "ok");
  EXPECT_NE(value(run, "kcore"), "ok");
  EXPECT_EQ(value(this->run({"write"}, {.writable_tmp = false}), "tmp"), "EROFS");
}

TEST_F(ContainerTest, RootInsideWritesNowhereEither) {
  const ProbeRun run = this->run({"write"}, {.uid = 0});
  for (const char* place : {"root", "bundle", "image", "sysctl"}) {
    EXPECT_EQ(value(run, place), "EROFS") << place;
  }
  EXPECT_NE(value(run, "sysrq"), "ok");
  EXPECT_NE(value(run, "kcore"), "ok");
  EXPECT_FALSE(fs::exists(bundle() / "new"));
}

TEST_F(ContainerTest, FindsNoWayOut) {
  for (const std::uint32_t uid : {65532u, 0u}) {
    const ProbeRun run = this->run({"out"}, {.uid = uid});
    for (const char* way : {"mount", "mknod", "chroot", "bpf", "keyctl", "ptrace"}) {
      EXPECT_EQ(value(run, way), "EPERM") << way << " as " << uid;
    }
    EXPECT_EQ(value(run, "connect"), "ENETUNREACH");
    if (uid != 0) {
      EXPECT_NE(value(run, "setuid"), "ok");
    }
  }
}

TEST_F(ContainerTest, TellsExitCodesFromSignals) {
  EXPECT_EQ(run({"exit", "7"}).exit_code, 7);
  EXPECT_EQ(run({"exit", "1"}).end, RunEnd::exited);
  const ProbeRun aborted = run({"abort"});
  EXPECT_EQ(aborted.end, RunEnd::signalled);
  EXPECT_EQ(aborted.exit_code, 128 + SIGABRT);
  EXPECT_FALSE(aborted.complete);
}

TEST_F(ContainerTest, ArgumentsArePassedAsTheyAre) {
  const ProbeRun run = this->run({"arguments", "", "two words", "$HOME;`x`"});
  std::vector<std::string> found;
  for (const Json& event : run.events) {
    if (event["event"] == "argument") found.push_back(event["value"]);
  }
  EXPECT_EQ(found, (std::vector<std::string>{"/.imgcheck/probe", "arguments", "", "two words",
                                             "$HOME;`x`"}));
}

TEST_F(ContainerTest, WhoSleepsOrStopsIsKilledInTime) {
  for (const char* mode : {"sleep", "stop"}) {
    const ProbeRun run = this->run({mode}, {.timeout = std::chrono::seconds(2)});
    EXPECT_EQ(run.end, RunEnd::timed_out) << mode;
    EXPECT_EQ(run.reason, "did not end within 2 seconds");
    EXPECT_LT(run.seconds, 20);
    EXPECT_EQ(run.events.size(), 1u) << "what it wrote before is kept";
  }
  expect_nothing_left();
}

TEST_F(ContainerTest, AForkBombIsKilledInTime) {
  const ProbeRun run = this->run({"fork-bomb"}, {.timeout = std::chrono::seconds(2)});
  EXPECT_EQ(run.end, RunEnd::timed_out);
  EXPECT_LT(run.seconds, 60);
  expect_nothing_left();
}

TEST_F(ContainerTest, EndlessOutputIsCutAndEndsTheRun) {
  ProbeRun run = this->run({"endless"});
  EXPECT_EQ(run.end, RunEnd::output_limit);
  EXPECT_EQ(run.reason, "wrote more than 8,388,608 bytes to standard output");
  EXPECT_LE(run.broken_lines, 1u);
  run = this->run({"endless-error"});
  EXPECT_EQ(run.reason, "wrote more than 1,048,576 bytes to standard error");
  EXPECT_LE(run.stderr_tail.size(), 4096u);
  expect_nothing_left();
}

TEST_F(ContainerTest, ADaemonDoesNotOutliveTheRunAndHoldsNothingUp) {
  const ProbeRun run = this->run({"daemon"});
  EXPECT_EQ(run.end, RunEnd::exited);
  EXPECT_LT(run.seconds, 30);
  expect_nothing_left();
}

TEST_F(ContainerTest, MemoryIsLimited) {
  const ProbeRun run =
      this->run({"memory", std::to_string(600ull << 20)}, {.memory_bytes = 256ull << 20});
  if (runtime().traits().cgroups) {
    EXPECT_EQ(run.end, RunEnd::signalled);
    EXPECT_EQ(run.exit_code, 128 + SIGKILL);
  } else {
    EXPECT_EQ(run.exit_code, 9);
  }
  EXPECT_EQ(
      this->run({"memory", std::to_string(64ull << 20)}, {.memory_bytes = 256ull << 20}).exit_code,
      0);
}

TEST_F(ContainerTest, LiesAreDataAndNothingElse) {
  const ProbeRun run = this->run({"lies"});
  EXPECT_EQ(run.end, RunEnd::exited);
  EXPECT_EQ(run.start_seconds, 0) << "before the runtime was started";
  EXPECT_FALSE(run.complete);
  EXPECT_GE(run.broken_lines, 4u);
  EXPECT_EQ(run.stderr_tail, "\\x1b[2Jred \\xff line\nnext\n");
}

TEST_F(ContainerTest, NothingOfTheImageIsRunToStartIt) {
  // What hosts have been made to run before: each would leave a trace on standard error.
  std::string tar = tar_folder("usr") + tar_folder("usr/bin");
  for (const char* name : {"xz", "gpgv", "runc", "mount", "newuidmap", "sh"}) {
    tar += tar_file("usr/bin/" + std::string(name), "#!/.imgcheck/probe\n", "0000755");
  }
  image().layer(tar + tar_folder("lib") + tar_file("lib/libnss_files.so.2", "x") + tar_end());
  const ProbeRun run = this->run({"look"});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.stderr_tail, "");
}

TEST_F(ContainerTest, HostilePasswdFilesHoldNothingUp) {
  std::string lines;
  for (int i = 0; i < 300'000; ++i) lines += "u" + std::to_string(i) + ":x:1:1::/:/bin/sh\n";
  image().layer(tar_file("etc/passwd", lines) + tar_file("etc/group", std::string(20 << 20, 'x')) +
                tar_end());
  EXPECT_NE(this->run({"look"}).end, RunEnd::timed_out);
}

TEST_F(ContainerTest, APasswdThatIsALinkToTheHostsShowsTheImages) {
  image().layer(tar_file("etc/.wh.passwd", "") + tar_end());
  image().layer(tar_link("etc/passwd", "../../../../../../etc/passwd-") + tar_end());
  const ProbeRun run = this->run({"look"});
  EXPECT_EQ(value(run, "passwd"), "ENOENT");
}

TEST_F(ContainerTest, WhiteoutsHideInTheContainer) {
  image().layer(tar_file("etc/.wh.passwd", "") + tar_end());
  EXPECT_EQ(value(this->run({"look"}), "passwd"), "ENOENT");
}

TEST_F(ContainerTest, OpaqueFoldersHideInTheContainer) {
  image().layer(tar_folder("etc") + tar_file("etc/.wh..wh..opq", "") + tar_end());
  EXPECT_EQ(value(this->run({"look"}), "passwd"), "ENOENT");
}

TEST_F(ContainerTest, AHundredLayersAreStacked) {
  for (int i = 0; i < 100; ++i) image().layer(tar_file("f" + std::to_string(i), "x") + tar_end());
  EXPECT_EQ(this->run({"exit", "0"}).end, RunEnd::exited);
}

TEST_F(ContainerTest, AProbeThatIsNoProgramIsNotStarted) {
  write_file(bundle() / "broken", "no program", 0755);
  const ProbeRun run = this->run({}, {.probe = "broken"});
  EXPECT_NE(run.exit_code == 0 && run.end == RunEnd::exited, true);
  EXPECT_TRUE(run.events.empty());
}

/// The kernel ends what belongs to a process that is gone.
TEST_F(ContainerTest, KillingThisProcessLeavesNoProcessAndNoMount) {
  PreparedImage& prepared = prepare();
  const pid_t pid = fork();
  if (pid == 0) {
    prepared.run({.label = "l", .probe = "probe", .arguments = {"sleep"}});
    _exit(0);
  }
  // The probe has started once its process is there.
  for (int i = 0; i < 400 && processes_of_probe() == 0; ++i) usleep(50'000);
  EXPECT_GT(processes_of_probe(), 0);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  for (int i = 0; i < 200 && processes_of_probe() > 0; ++i) usleep(50'000);
  expect_nothing_left();
  // What it had on disk goes with the next one that comes by.
  EXPECT_GT(prepared.run({.label = "l", .probe = "probe", .arguments = {"look"}}).events.size(),
            1u);
}

}  // namespace
}  // namespace img
