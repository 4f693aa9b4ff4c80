// SPDX-License-Identifier: Apache-2.0
// Running programs: what they see, what comes back, and how they are stopped.
#include "builder/base/process.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace img {
namespace {

ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  return spec;
}

template <typename Body>
std::string error_from(Body&& body) {
  try {
    body();
  } catch (const UnavailableError& error) {
    return error.render();
  }
  return "no error";
}

bool is_gone(const std::string& pid) {
  try {
    // A zombie only waits for its new parent.
    return split(read_file("/proc/" + pid + "/stat"), ' ').at(2) == "Z";
  } catch (const SystemError&) {
    return true;
  }
}

/// Whether the process of a pid file ends; a killed one may need a moment.
bool ends(const fs::path& pid_file) {
  const std::string pid(trim(read_file(pid_file)));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_gone(pid)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Process, ReturnsOutputsAndExitCode) {
  const ProcessResult result = run_process(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.stdout_text, "out\n");
  EXPECT_EQ(result.stderr_text, "err\n");
}

TEST(Process, SignalsBecomeExitCodes) {
  EXPECT_EQ(run_process(shell("kill -9 $$")).exit_code, 137);
}

TEST(Process, SeesExactlyTheGivenEnvironment) {
  setenv("IMG_PROCESS_TEST", "leak", 1);
  ProcessSpec spec;
  spec.argv = {"env"};  // looked up in PATH
  spec.env = {{"B", "2"}, {"A", "1 x"}};
  EXPECT_EQ(run_process(spec).stdout_text, "A=1 x\nB=2\n");
}

TEST(Process, RunsInTheGivenFolder) {
  ProcessSpec spec = shell("pwd -P");
  EXPECT_EQ(run_process(spec).stdout_text, "/\n");
  spec.cwd = "/usr";
  EXPECT_EQ(run_process(spec).stdout_text, "/usr\n");
}

TEST(Process, FeedsInputLargerThanAPipe) {
  ProcessSpec spec = shell("wc -c");
  spec.stdin_text = std::string(1'000'000, 'x');
  EXPECT_EQ(trim(run_process(spec).stdout_text), "1000000");
  spec = shell("exit 0");  // never reads
  spec.stdin_text = std::string(1'000'000, 'x');
  EXPECT_EQ(run_process(spec).exit_code, 0);
  EXPECT_EQ(trim(run_process(shell("wc -c")).stdout_text), "0");
}

TEST(Process, ConnectsFiles) {
  const TempDir dir(testing::TempDir(), "process-");
  write_file(dir.path() / "in", "abc");
  write_file(dir.path() / "out", "a longer text that must go");
  ProcessSpec spec = shell("tr a-z A-Z; echo err >&2");
  spec.stdin_file = dir.path() / "in";
  spec.stdout_file = dir.path() / "out";
  const ProcessResult result = run_process(spec);
  EXPECT_EQ(read_file(dir.path() / "out"), "ABC");
  EXPECT_EQ(result.stdout_text, "");
  EXPECT_EQ(result.stderr_text, "err\n");
}

TEST(Process, CollectsLargeOutputsOfBothKindsAtOnce) {
  const ProcessResult result =
      run_process(shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; echo end"));
  EXPECT_EQ(result.stdout_text.size(), 3'000'004u);
  EXPECT_EQ(result.stderr_text.size(), 3'000'000u);
}

TEST(Process, InheritsNoDescriptors) {
  // One without close-on-exec, as a library may open it.
  const Fd leaky(open("/dev/null", O_RDONLY));
  EXPECT_EQ(run_process(shell("ls /proc/self/fd")).stdout_text, "0\n1\n2\n3\n");  // 3 is ls's own
}

TEST(Process, SignalsAreAtTheirDefaults) {
  std::signal(SIGPIPE, SIG_IGN);
  const ProcessResult result = run_process(shell("grep SigIgn /proc/self/status"));
  std::signal(SIGPIPE, SIG_DFL);
  // 32 and 33 (the top two bits here) are glibc's own and always ignored after posix_spawn.
  EXPECT_EQ(result.stdout_text, "SigIgn:\t0000000180000000\n");
}

TEST(Process, HasItsOwnGroup) {
  const ProcessResult result = run_process(shell("cut -d' ' -f5 /proc/$$/stat; echo $$"));
  const std::vector<std::string> lines = split(result.stdout_text, '\n');
  EXPECT_EQ(lines.at(0), lines.at(1));
}

TEST(Process, ReportsLinesOfStderrAsTheyCome) {
  std::vector<std::string> lines;
  ProcessSpec spec = shell("printf 'one\\ntwo\\n\\nthree' >&2");
  spec.on_stderr_line = [&](std::string_view line) { lines.emplace_back(line); };
  const ProcessResult result = run_process(spec);
  EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "", "three"}));
  EXPECT_EQ(result.stderr_text, "one\ntwo\n\nthree");
}

TEST(Process, OutputOverTheLimitIsAnError) {
  ProcessSpec spec = shell("exec yes");
  spec.output_limit = 100'000;
  EXPECT_EQ(error_from([&] { run_process(spec); }),
            "error: program '/bin/sh' printed more than allowed\n  limit: 100,000 bytes");
}

TEST(Process, TimeoutStopsTheWholeGroup) {
  const TempDir dir(testing::TempDir(), "process-");
  ProcessSpec spec = shell("echo busy >&2; sleep 1000 & echo $! > pid; wait");
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  spec.cwd = dir.path();
  spec.timeout = std::chrono::seconds(1);
  EXPECT_EQ(error_from([&] { run_process(spec); }),
            "error: program '/bin/sh' did not end within 1 seconds\n  stderr: busy");
  EXPECT_TRUE(ends(dir.path() / "pid"));
}

TEST(Process, DoesNotWaitForWhatKeepsTheOutputOpen) {
  ProcessSpec spec = shell("setsid sleep 3 & echo done");
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run_process(spec).stdout_text, "done\n");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(2500));
}

TEST(Process, ExceptionOfTheCallbackStopsTheProgram) {
  ProcessSpec spec = shell("echo x >&2; exec sleep 1000");
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  spec.on_stderr_line = [](std::string_view) { throw InputError("stop"); };
  EXPECT_THROW(run_process(spec), InputError);
}

/// Exits with the code that `main` would give.
[[noreturn]] void run_interruptible(const ProcessSpec& spec) {
  install_interrupt_handlers();
  try {
    run_process(spec);
  } catch (const Error& error) {
    std::exit(static_cast<int>(error.exit_code()));
  }
  std::exit(0);
}

TEST(Process, InterruptStopsTheProgram) {
  ProcessSpec spec = shell("kill -INT $PPID; exec sleep 1000");
  spec.env = {{"PATH", "/usr/bin:/bin"}};
  EXPECT_EXIT(run_interruptible(spec), testing::ExitedWithCode(130), "");
}

TEST(Process, SecondSignalEndsAtOnceAndTakesTheProgramAlong) {
  const TempDir dir(testing::TempDir(), "process-");
  // A program that ignores the polite signal and makes us get a second one.
  ProcessSpec spec =
      shell("trap '' TERM; echo $$ > pid; parent=$PPID; while :; do kill -TERM $parent; done");
  spec.cwd = dir.path();
  EXPECT_EXIT(run_interruptible(spec), testing::ExitedWithCode(143), "");
  EXPECT_TRUE(ends(dir.path() / "pid"));
}

TEST(Process, MissingProgramsAndFoldersAreNamed) {
  ProcessSpec spec;
  spec.argv = {"no-such-program-here"};
  EXPECT_EQ(error_from([&] { run_process(spec); }),
            "error: cannot find program 'no-such-program-here'");
  spec.argv = {"/no/such"};
  EXPECT_EQ(error_from([&] { run_process(spec); }),
            "error: cannot run '/no/such': No such file or directory");
  spec = shell("true");
  spec.cwd = "/no/folder";
  EXPECT_EQ(error_from([&] { run_process(spec); }),
            "error: cannot run '/bin/sh' in folder '/no/folder': No such file or directory");
}

TEST(Process, RunCheckedShowsTheLastLines) {
  EXPECT_EQ(error_from([] { run_checked(shell("echo a >&2; echo b >&2; exit 3"), "solving"); }),
            "error: solving: program '/bin/sh' exited with code 3\n"
            "  stderr: a\n"
            "          b");
  EXPECT_EQ(error_from([] { run_checked(shell("kill -9 $$"), "solving"); }),
            "error: solving: program '/bin/sh' was ended by signal 9 (Killed)");
  EXPECT_EQ(run_checked(shell("echo ok"), "solving").stdout_text, "ok\n");
}

TEST(Process, FindsProgramsInPath) {
  const TempDir dir(testing::TempDir(), "process-");
  write_file(dir.path() / "tool", "#!/bin/sh\n", 0755);
  write_file(dir.path() / "data", "", 0644);
  create_folders(dir.path() / "folder");
  const std::string before = getenv("PATH");
  setenv("PATH", ("relative::" + dir.path().string()).c_str(), 1);
  EXPECT_EQ(find_program("tool"), dir.path() / "tool");
  EXPECT_EQ(find_program("data"), std::nullopt);
  EXPECT_EQ(find_program("folder"), std::nullopt);
  EXPECT_EQ(find_program(""), std::nullopt);
  setenv("PATH", before.c_str(), 1);
}

TEST(Process, RequireProgramSaysHowToInstall) {
  EXPECT_EQ(error_from([] { require_program("no-such-program", "mmdebstrap"); }),
            "error: cannot find program 'no-such-program'\n"
            "hint: install it: apt-get install mmdebstrap");
  EXPECT_EQ(error_from([] { require_program("no-such-program", "ci/setup"); }),
            "error: cannot find program 'no-such-program'\n"
            "hint: install it: ci/setup");
  EXPECT_EQ(require_program("sh", "dash").filename(), "sh");
}

}  // namespace
}  // namespace img
