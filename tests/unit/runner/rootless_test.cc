// SPDX-License-Identifier: Apache-2.0
// The same as a user without rights. Root becomes one in a child process.
#include "tests/unit/runner/container_fixture.h"
#include "validators/runner/cdi_devices.h"

#include <gtest/gtest.h>

#include <iostream>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make images of

constexpr uid_t kUser = 54321;
constexpr int kNotHere = 77;

/// Runs `body` as a user, in a child when this process is root. False: not possible here.
void as_user(const std::function<void()>& body) {
  if (geteuid() != 0) return body();
  const pid_t pid = fork();
  if (pid == 0) {
    if (setgroups(0, nullptr) != 0 || setresgid(kUser, kUser, kUser) != 0 ||
        setresuid(kUser, kUser, kUser) != 0 || prctl(PR_SET_DUMPABLE, 1) != 0) {
      _exit(kNotHere);  // (a process that changes its user may not touch its own /proc otherwise)
    }
    try {
      body();
      const auto* result = ::testing::UnitTest::GetInstance()->current_test_info()->result();
      for (int i = 0; i < result->total_part_count(); ++i) {
        if (result->GetTestPartResult(i).failed()) {
          std::cerr << result->GetTestPartResult(i).message() << "\n";
        }
      }
      _exit(result->Failed() ? 1 : 0);
    } catch (const UnavailableError& error) {
      std::cerr << error.render() << "\n";
      _exit(kNotHere);
    } catch (const Error& error) {
      std::cerr << error.render() << "\n";
      _exit(2);
    } catch (const std::exception& error) {
      std::cerr << error.what() << "\n";
      _exit(3);
    }
  }
  int status = 0;
  waitpid(pid, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotHere) GTEST_SKIP() << "no containers for users here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

class Rootless : public ContainerFixture {
 protected:
  void SetUp() override {}
  Runtime& runtime() override {
    if (!own_) own_ = find_runtime();
    return *own_;
  }
  std::unique_ptr<Runtime> own_;
};

/// A fixture that is made by the user, so that its folders are his.
class RootlessBody final : public Rootless {
 public:
  void TestBody() override {}
  using ContainerFixture::bundle;
  using ContainerFixture::device_edits;
  using ContainerFixture::expect_nothing_left;
  using ContainerFixture::folder;
  using ContainerFixture::image;
  using ContainerFixture::run;
  using ContainerFixture::value;
  using Rootless::runtime;
};

TEST(RootlessContainer, HasTheUserOfTheCallAndNoRights) {
  as_user([] {
    RootlessBody body;
    body.image().config.working_dir = "/srv/work";
    EXPECT_TRUE(body.runtime().rootless());
    const ProbeRun run = body.run({"look"});
    EXPECT_EQ(run.exit_code, 0) << run.reason << run.stderr_tail;
    EXPECT_EQ(body.value(run, "uid"), "65532");
    EXPECT_EQ(body.value(run, "gid"), "65532");
    EXPECT_EQ(body.value(run, "cwd"), "/srv/work");
    EXPECT_EQ(body.value(run, "descriptors"), "0 1 2 ");
    EXPECT_EQ(body.value(run, "interfaces"), "lo ");
    EXPECT_EQ(body.value(run, "capabilities").substr(0, 16), "0000000000000000");
    EXPECT_EQ(body.value(run, "no-new-privileges"), "1");
    EXPECT_EQ(body.value(run, "passwd"), "ok");
  });
}

TEST(RootlessContainer, WritesNowhereButInTmpAndFindsNoWayOut) {
  as_user([] {
    RootlessBody body;
    for (const std::uint32_t uid : {65532u, 0u}) {
      const ProbeRun writes = body.run({"write"}, {.uid = uid});
      for (const char* place : {"root", "bundle", "image", "dev"}) {
        EXPECT_EQ(body.value(writes, place), "EROFS") << place << " as " << uid;
      }
      EXPECT_NE(body.value(writes, "sysctl"), "ok");
      EXPECT_NE(body.value(writes, "sysrq"), "ok");
      EXPECT_EQ(body.value(writes, "tmp"), "ok");
      const ProbeRun out = body.run({"out"}, {.uid = uid});
      for (const char* way : {"mount", "mknod", "bpf", "keyctl", "ptrace"}) {
        EXPECT_EQ(body.value(out, way), "EPERM") << way << " as " << uid;
      }
      EXPECT_EQ(body.value(out, "connect"), "ENETUNREACH");
    }
  });
}

TEST(RootlessContainer, EndsInTimeAndLeavesNothing) {
  as_user([] {
    RootlessBody body;
    for (const char* mode : {"sleep", "fork-bomb"}) {
      const ProbeRun run = body.run({mode}, {.timeout = std::chrono::seconds(2)});
      EXPECT_EQ(run.end, RunEnd::timed_out) << mode << run.reason << run.stderr_tail;
    }
    EXPECT_EQ(body.run({"memory", std::to_string(600ull << 20)}, {.memory_bytes = 256ull << 20})
                  .exit_code,
              9);
    body.expect_nothing_left();
  });
}

TEST(RootlessContainer, WhiteoutsAndOpaqueFoldersHide) {
  as_user([] {
    RootlessBody whiteout;
    whiteout.image().layer(tar_file("etc/.wh.passwd", "") + tar_end());
    EXPECT_EQ(whiteout.value(whiteout.run({"look"}), "passwd"), "ENOENT");
    RootlessBody opaque;
    opaque.image().layer(tar_folder("etc") + tar_file("etc/.wh..wh..opq", "") + tar_end());
    EXPECT_EQ(opaque.value(opaque.run({"look"}), "passwd"), "ENOENT");
  });
}

TEST(RootlessContainer, DevicesAreThoseOfTheHost) {
  as_user([] {
    RootlessBody body;
    create_folders(body.folder() / "cdi");
    write_file(body.folder() / "library", "driver");
    write_file(body.folder() / "cdi/nvidia.yaml",
               "cdiVersion: 0.7.0\nkind: nvidia.com/gpu\ndevices:\n- name: \"0\"\n"
               "containerEdits:\n"
               "  deviceNodes:\n"
               "  - {path: /dev/nvidia0, hostPath: /dev/null}\n"
               "  - {path: /dev/nvidia-caps/nvidia-cap1, hostPath: /dev/zero}\n"
               "  additionalGids: [44]\n"
               "  mounts: [{hostPath: " +
                   (body.folder() / "library").string() +
                   ", containerPath: /usr/lib/libcuda.so.1}]\n");
    body.device_edits =
        edits_for_devices({.names = {"all"}, .folders = {body.folder() / "cdi"}, .rootless = true});
    const ProbeRun run =
        body.run({"see", "/dev/nvidia0", "/dev/nvidia-caps/nvidia-cap1", "/usr/lib/libcuda.so.1"});
    EXPECT_EQ(run.exit_code, 0) << run.reason << run.stderr_tail;
    EXPECT_EQ(body.value(run, "/dev/nvidia0"), "device 1:3 ok");
    EXPECT_EQ(body.value(run, "/dev/nvidia-caps/nvidia-cap1"), "device 1:5 ok");
    EXPECT_EQ(body.value(run, "/usr/lib/libcuda.so.1"), "file driver");
    EXPECT_EQ(body.value(run, "write /usr/lib/libcuda.so.1"), "EROFS");
  });
}

}  // namespace
}  // namespace img
