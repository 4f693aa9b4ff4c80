// SPDX-License-Identifier: Apache-2.0
// Parallel jobs and the number of usable cores.
#include "builder/base/thread_pool.h"

#include "builder/base/error.h"
#include "builder/base/file.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <pthread.h>

namespace img {
namespace {

TEST(RunParallel, RunsEveryJobOnce) {
  std::vector<std::atomic<int>> counts(1000);
  std::vector<std::function<void()>> jobs;
  for (auto& count : counts) jobs.push_back([&count] { ++count; });
  run_parallel(std::move(jobs), 8);
  for (const auto& count : counts) EXPECT_EQ(count, 1);
}

TEST(RunParallel, UsesSeveralThreadsAtOnce) {
  std::latch all(3);
  run_parallel(std::vector<std::function<void()>>(3, [&] { all.arrive_and_wait(); }), 3);
}

TEST(RunParallel, OneThreadRunsInOrderOnTheCaller) {
  for (const std::size_t threads : {0u, 1u}) {
    std::string order;
    const auto caller = std::this_thread::get_id();
    std::vector<std::function<void()>> jobs;
    for (const char c : {'a', 'b', 'c'}) {
      jobs.push_back([&order, c, caller] {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        order += c;
      });
    }
    run_parallel(std::move(jobs), threads);
    EXPECT_EQ(order, "abc");
  }
}

TEST(RunParallel, FirstFailureDropsTheRest) {
  int ran = 0;
  std::vector<std::function<void()>> jobs(5, [&] {
    if (++ran == 2) throw std::runtime_error("second");
  });
  EXPECT_THROW(run_parallel(std::move(jobs), 1), std::runtime_error);
  EXPECT_EQ(ran, 2);
}

/// While it lives no thread can be started: each would need a stack larger than any address space.
class NoThreads {
 public:
  NoThreads() {
    pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    pthread_attr_init(&huge);
    pthread_attr_setstacksize(&huge, std::size_t{1} << 50);
    pthread_setattr_default_np(&huge);
    pthread_attr_destroy(&huge);
  }
  ~NoThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  pthread_attr_t before_;
};

constexpr const char* kNoThread =
    "error: cannot start a thread: Resource temporarily unavailable\n"
    "hint: raise the limits of processes and memory (ulimit -u, ulimit -v), or use fewer threads: "
    "-j 1";

TEST(StartThread, SaysThatTheMachineGivesNoMoreThreads) {
  const NoThreads none;
  try {
    start_thread([](const std::stop_token&) {});
    FAIL() << "a thread was started";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.render(), kNoThread);
    EXPECT_EQ(error.exit_code(), ExitCode::unavailable);
  }
}

TEST(RunParallel, AThreadThatCannotBeStartedDropsTheJobs) {
  const NoThreads none;
  int ran = 0;
  try {
    run_parallel(std::vector<std::function<void()>>(5, [&] { ++ran; }), 3);
    FAIL() << "no error";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.render(), kNoThread);
  }
  EXPECT_EQ(ran, 0);
}

TEST(RunParallel, AwaitsRunningJobsAfterAFailure) {
  std::latch started(2);
  std::atomic<bool> ended = false;
  std::vector<std::function<void()>> jobs{[&] {
                                            started.arrive_and_wait();
                                            throw std::runtime_error("first");
                                          },
                                          [&] {
                                            started.arrive_and_wait();
                                            std::this_thread::yield();
                                            ended = true;
                                          }};
  EXPECT_THROW(run_parallel(std::move(jobs), 2), std::runtime_error);
  EXPECT_TRUE(ended);
}

TEST(RunParallel, NoJobsIsFine) { run_parallel({}, 4); }

TEST(Cores, AtLeastOne) { EXPECT_GE(available_cores(), 1u); }

class CoresTest : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) {
    create_folders((dir_.path() / path).parent_path());
    write_file(dir_.path() / path, text);
  }
  TempDir dir_{testing::TempDir(), "cores-"};
};

TEST_F(CoresTest, FollowsTheSmallestQuotaOfVersionTwo) {
  put("cpu.max", "max 100000\n");
  put("a/cpu.max", "350000 100000\n");
  put("a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cores_within_quota(8, "0::/a/b\n", dir_.path()), 4u);
  EXPECT_EQ(cores_within_quota(2, "0::/a/b\n", dir_.path()), 2u);
  EXPECT_EQ(cores_within_quota(8, "0::/\n", dir_.path()), 8u);
}

TEST_F(CoresTest, FollowsTheQuotaOfVersionOne) {
  put("cpu,cpuacct/docker/cpu.cfs_quota_us", "150000\n");
  put("cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  put("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cores_within_quota(8, "5:memory:/docker\n4:cpu,cpuacct:/docker\n", dir_.path()), 2u);
}

TEST_F(CoresTest, IgnoresNonsense) {
  put("cpu.max", "0 0\n");
  EXPECT_EQ(cores_within_quota(8, "garbage\n0::/../x\n", dir_.path()), 8u);
  EXPECT_EQ(cores_within_quota(8, "", dir_.path()), 8u);
  EXPECT_EQ(cores_within_quota(0, "", dir_.path()), 1u);
}

}  // namespace
}  // namespace img
