// SPDX-License-Identifier: Apache-2.0
// Folders are opened below their root or not at all.
#include "validators/runner/safe_folder.h"

#include "builder/base/error.h"
#include "builder/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

class SafeFolderTest : public ::testing::TestWithParam<SafeFolder::Walk> {
 protected:
  SafeFolderTest() : dir_(fs::temp_directory_path(), "safe-") {
    create_folders(root() / "a/b/c");
    create_folders(outside() / "a");
    write_file(root() / "file", "x");
  }
  fs::path root() const { return dir_.path() / "root"; }
  fs::path outside() const { return dir_.path() / "outside"; }
  SafeFolder folder() const { return SafeFolder(root(), GetParam()); }
  void link(const std::string& target, const std::string& name) const {
    fs::create_symlink(target, root() / name);
  }
  int error_of(const std::string& path) const {
    const SafeFolder safe = folder();
    errno = 0;
    return safe.try_open(path) ? 0 : errno;
  }
  TempDir dir_;
};

ino_t inode_of(int fd) {
  struct stat info {};
  EXPECT_EQ(fstat(fd, &info), 0);
  return info.st_ino;
}

TEST_P(SafeFolderTest, OpensTheRootAndFoldersBelow) {
  const SafeFolder safe = folder();
  struct stat info {};
  ASSERT_EQ(stat((root() / "a/b").c_str(), &info), 0);
  EXPECT_EQ(inode_of(safe.open("a/b").get()), info.st_ino);
  EXPECT_EQ(inode_of(safe.open("").get()), inode_of(safe.fd()));
}

TEST_P(SafeFolderTest, FollowsNoLinkWhereverItIs) {
  link(outside().string(), "absolute");
  link("../outside", "relative");
  link("a", "inside");
  link("relative", "chained");
  link("/", "top");
  link(".", "self");
  for (const char* path : {"absolute", "relative", "inside", "chained", "top", "self"}) {
    EXPECT_TRUE(error_of(path) == ELOOP || error_of(path) == ENOTDIR) << path;
    EXPECT_TRUE(error_of(path + std::string("/a")) == ELOOP ||
                error_of(path + std::string("/a")) == ENOTDIR)
        << path;
  }
}

TEST_P(SafeFolderTest, RefusesWhatIsNoFolderOrLeadsUp) {
  EXPECT_EQ(error_of("file"), ENOTDIR);
  EXPECT_EQ(error_of("file/x"), ENOTDIR);
  EXPECT_EQ(error_of("absent"), ENOENT);
  EXPECT_NE(error_of("../outside"), 0);
  EXPECT_NE(error_of("a/../../outside"), 0);
}

TEST_P(SafeFolderTest, OpenSaysWhichFolder) {
  const SafeFolder safe = folder();
  try {
    safe.open("absent/x");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(std::string(error.what()), "cannot open folder '" + (root() / "absent/x").string() +
                                             "': No such file or directory");
  }
}

/// Somebody swaps a folder and a link to the outside as fast as he can: what is opened is the
/// folder or nothing.
TEST_P(SafeFolderTest, NeverLeavesTheRootWhileFoldersAreSwapped) {
  fs::create_symlink(outside(), root() / "evil");
  struct stat info {};
  ASSERT_EQ(stat((outside() / "a").c_str(), &info), 0);
  const ino_t forbidden = info.st_ino;
  create_folders(root() / "good/a");
  std::atomic<bool> done{false};
  auto renamer = start_thread([&](const std::stop_token&) {
    const std::string good = root() / "good", evil = root() / "evil";
    while (!done) {
      renameat2(AT_FDCWD, good.c_str(), AT_FDCWD, evil.c_str(), RENAME_EXCHANGE);
    }
  });
  const SafeFolder safe = folder();
  int opened = 0, refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Fd fd = safe.try_open("good/a");
    (fd ? opened : refused) += 1;
    if (fd) {
      ASSERT_NE(inode_of(fd.get()), forbidden);
    }
  }
  done = true;
  EXPECT_GT(opened, 0);
  EXPECT_GT(refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Walks, SafeFolderTest,
                         ::testing::Values(SafeFolder::Walk::kernel, SafeFolder::Walk::by_name),
                         [](const auto& walk) {
                           return walk.param == SafeFolder::Walk::kernel ? "kernel" : "by_name";
                         });

}  // namespace
}  // namespace img
