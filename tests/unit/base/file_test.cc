// SPDX-License-Identifier: Apache-2.0
// Files under good and bad conditions: atomic replacement, full disks, links, deep trees, locks.
#include "builder/base/file.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

namespace img {
namespace {

class FileTest : public testing::Test {
 protected:
  fs::path at(const std::string& name) const { return dir_.path() / name; }
  std::string dir() const { return dir_.path().string(); }

  mode_t mode_of(const fs::path& path) const {
    struct stat info {};
    EXPECT_EQ(lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  template <typename Body>
  std::string error_from(Body&& body) const {
    try {
      body();
    } catch (const Error& error) {
      std::string text = error.render();
      for (std::size_t i = 0; (i = text.find(dir(), i)) != std::string::npos;) {
        text.replace(i, dir().size(), "DIR");
      }
      return text;
    }
    return "no error";
  }

  TempDir dir_{testing::TempDir(), "file-test-"};
};

TEST_F(FileTest, OpenNamesThePath) {
  EXPECT_EQ(error_from([&] { Fd::open(at("none"), O_RDONLY); }),
            "error: cannot open 'DIR/none': No such file or directory");
}

TEST_F(FileTest, OpenedDescriptorsAreCloseOnExec) {
  const Fd fd = Fd::open(dir_.path(), O_RDONLY);
  EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST_F(FileTest, WritesAndReadsWholeFiles) {
  write_file(at("a"), "text");
  write_file(at("a"), "other");
  EXPECT_EQ(read_file(at("a")), "other");
  EXPECT_EQ(read_file(at("a"), 5), "other");
  EXPECT_EQ(error_from([&] { read_file(at("a"), 4); }),
            "error: 'DIR/a' is larger than allowed\n  limit: 4 bytes");
  EXPECT_EQ(sorted_names(dir_.path()), std::vector<std::string>{"a"});
}

TEST_F(FileTest, AtomicFileAppearsOnlyByCommit) {
  {
    AtomicFile file(at("a"));
    file.write(as_bytes("gone"));
    EXPECT_FALSE(fs::exists(at("a")));
    EXPECT_EQ(sorted_names(dir_.path()).size(), 1u);
  }
  EXPECT_TRUE(sorted_names(dir_.path()).empty());
  AtomicFile file(at("a"));
  file.write(as_bytes("kept"));
  file.commit();
  EXPECT_EQ(read_file(at("a")), "kept");
  EXPECT_THROW(file.commit(), InternalError);
}

TEST_F(FileTest, AtomicFileKeepsOrderAcrossBufferSizes) {
  std::string expected;
  AtomicFile file(at("a"));
  for (const std::size_t size : {1u, 1u << 20, 5u, (1u << 20) - 1, 3u << 20, 0u, 7u}) {
    const std::string part(size, static_cast<char>('a' + expected.size() % 26));
    file.write(as_bytes(part));
    expected += part;
  }
  file.commit();
  EXPECT_EQ(read_file(at("a")), expected);
}

TEST_F(FileTest, AtomicFileModeIgnoresUmask) {
  const mode_t before = umask(0077);
  write_file(at("script"), "", 0755);
  write_file(at("blob"), "", 0444);
  create_folders(at("x/y"));
  umask(before);
  EXPECT_EQ(mode_of(at("script")), 0755u);
  EXPECT_EQ(mode_of(at("blob")), 0444u);
  EXPECT_EQ(mode_of(at("x")), 0755u);
  EXPECT_EQ(mode_of(at("x/y")), 0755u);
}

TEST_F(FileTest, CommitAsPicksTheNameLate) {
  create_folders(at("sub"));
  AtomicFile file(at("unused"));
  file.write(as_bytes("x"));
  file.finish();
  EXPECT_EQ(read_file(file.temporary_path()), "x");
  file.commit_as(at("sub/named"));
  EXPECT_EQ(read_file(at("sub/named")), "x");
  EXPECT_EQ(sorted_names(dir_.path()), std::vector<std::string>{"sub"});
}

TEST_F(FileTest, CommitNewKeepsWhatIsThere) {
  write_file(at("a"), "old");
  EXPECT_EQ(error_from([&] {
              AtomicFile file(at("a"));
              file.write(as_bytes("new"));
              file.commit_new();
            }),
            "error: cannot write 'DIR/a': File exists");
  EXPECT_EQ(read_file(at("a")), "old");
  EXPECT_EQ(sorted_names(dir_.path()), std::vector<std::string>{"a"});
}

TEST_F(FileTest, WritingIntoAMissingFolderNamesTheFile) {
  EXPECT_EQ(error_from([&] { write_file(at("none/a"), ""); }),
            "error: cannot write 'DIR/none/a': No such file or directory");
}

bool put(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  const bool done = fd >= 0 && write(fd, text.data(), text.size()) > 0;
  if (fd >= 0) close(fd);
  return done;
}

/// Own mounts, with a user namespace where that is needed.
bool isolate() {
  const std::string user = "0 " + std::to_string(getuid()) + " 1";
  const std::string group = "0 " + std::to_string(getgid()) + " 1";
  if (unshare(CLONE_NEWNS) != 0) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    if (!put("/proc/self/setgroups", "deny") || !put("/proc/self/uid_map", user) ||
        !put("/proc/self/gid_map", group)) {
      return false;
    }
  }
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

int run_isolated(const fs::path& mount_point, const std::function<int()>& body) {
  if (!isolate()) return 77;
  if (mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k") != 0) return 77;
  try {
    return body();
  } catch (const std::exception& error) {
    fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

/// In a child with its own mounts; 77 when the machine does not allow that.
int on_small_disk(const fs::path& mount_point, const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(run_isolated(mount_point, body));
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FileTest, FullDiskLeavesNothingAndSaysHowMuchIsFree) {
  const int result = on_small_disk(dir_.path(), [&] {
    const std::string text = error_from([&] { write_file(at("blob"), std::string(1 << 20, 'x')); });
    if (!text.starts_with("error: cannot write 'DIR/blob': No space left on device\n  free: ")) {
      return 1;
    }
    return sorted_names(dir_.path()).empty() ? 0 : 2;
  });
  if (result == 77) GTEST_SKIP() << "no mounts allowed here";
  EXPECT_EQ(result, 0);
}

TEST_F(FileTest, RemoveTreeDoesNotEnterMounts) {
  create_folders(at("tree/inner"));
  const int result = on_small_disk(at("tree/inner"), [&] {
    write_file(at("tree/inner/precious"), "x");
    const std::string text = error_from([&] { remove_tree(at("tree")); });
    const bool said = text == "error: cannot remove 'DIR/tree/inner': it is on another file system";
    return said && fs::exists(at("tree/inner/precious")) ? 0 : 1;
  });
  if (result == 77) GTEST_SKIP() << "no mounts allowed here";
  EXPECT_EQ(result, 0);
}

TEST_F(FileTest, InputFileReadsAnywhere) {
  write_file(at("a"), "0123456789");
  const auto file = InputFile::open(at("a"));
  std::vector<std::uint8_t> buffer(4);
  EXPECT_EQ(file->size(), 10u);
  EXPECT_EQ(file->read_at(3, buffer), 4u);
  EXPECT_EQ(as_text(buffer), "3456");
  EXPECT_EQ(file->read_at(8, buffer), 2u);
  EXPECT_EQ(file->read_at(10, buffer), 0u);
  EXPECT_EQ(file->read_at(UINT64_MAX, buffer), 0u);
  EXPECT_EQ(error_from([&] { file->read_exactly_at(8, buffer); }),
            "error: 'DIR/a' ends too early\n"
            "  expected: 4 bytes at offset 8\n"
            "  got:      2 bytes");
}

TEST_F(FileTest, InputFileRefusesOtherKinds) {
  EXPECT_EQ(error_from([&] { InputFile::open(dir_.path()); }),
            "error: cannot read 'DIR': Is a directory");
  ASSERT_EQ(mkfifo(at("fifo").c_str(), 0600), 0);
  EXPECT_EQ(error_from([&] { InputFile::open(at("fifo")); }),
            "error: 'DIR/fifo' is not a regular file");
}

TEST_F(FileTest, FileSourceReadsItsPart) {
  write_file(at("a"), "0123456789");
  FileSource source(InputFile::open(at("a")), 2, 5);
  EXPECT_EQ(read_all(source, 100, "a"), "23456");
  FileSource too_long(InputFile::open(at("a")), 8, 5);
  EXPECT_THROW(read_all(too_long, 100, "a"), IntegrityError);
}

TEST_F(FileTest, CreateFoldersSaysWhatIsInTheWay) {
  create_folders(at("a/b/c/"));
  create_folders(at("a/b/c"));
  EXPECT_TRUE(fs::is_directory(at("a/b/c")));
  write_file(at("file"), "");
  EXPECT_EQ(error_from([&] { create_folders(at("file/sub")); }),
            "error: cannot create folder 'DIR/file': Not a directory");
}

TEST_F(FileTest, RemoveTreeNeverFollowsLinks) {
  create_folders(at("keep"));
  write_file(at("keep/file"), "x");
  create_folders(at("tree/sub"));
  fs::create_symlink(at("keep"), at("tree/sub/link"));
  fs::create_symlink(at("keep/file"), at("tree/file-link"));
  remove_tree(at("tree"));
  EXPECT_FALSE(fs::exists(at("tree")));
  EXPECT_EQ(read_file(at("keep/file")), "x");
  fs::create_symlink(at("keep"), at("link"));
  remove_tree(at("link"));
  EXPECT_EQ(sorted_names(dir_.path()), std::vector<std::string>{"keep"});
}

TEST_F(FileTest, RemoveTreeCopesWithReadOnlyFoldersAndMissingPaths) {
  create_folders(at("tree/a/b"));
  write_file(at("tree/a/b/file"), "", 0444);
  for (const char* name : {"tree/a/b", "tree/a", "tree"}) chmod(at(name).c_str(), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    // root may do anything, so another user tries; the folder above must belong to it.
    if (getuid() == 0) {
      for (const char* name : {"", "tree"}) lchown(at(name).c_str(), 65534, 65534);
      chmod(at("tree").c_str(), 0700);
      for (const char* name : {"tree/a", "tree/a/b", "tree/a/b/file"}) {
        lchown(at(name).c_str(), 65534, 65534);
      }
      chmod(at("tree").c_str(), 0);
      if (setuid(65534) != 0) _exit(1);
    }
    try {
      remove_tree(at("tree"));
    } catch (const Error& error) {
      fprintf(stderr, "%s\n", error.render().c_str());
      _exit(2);
    }
    _exit(fs::exists(at("tree")) ? 3 : 0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  remove_tree(at("none"));
  write_file(at("file"), "");
  remove_tree(at("file"));
  EXPECT_FALSE(fs::exists(at("file")));
}

TEST_F(FileTest, RemoveTreeManagesDeeperTreesThanPathsOrDescriptors) {
  // In memory where that is possible: disks can need milliseconds for each folder.
  const TempDir dir(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : testing::TempDir(), "file-test-");
  const fs::path deep = dir.path() / "deep";
  create_folders(deep);
  Fd fd = Fd::open(deep, O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(mkdirat(fd.get(), "d", 0700), 0);
    fd = Fd(openat(fd.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(fd);
  }
  remove_tree(deep);
  EXPECT_FALSE(fs::exists(deep));
}

TEST_F(FileTest, SortedNamesAreBytewise) {
  for (const char* name : {"b", "a", "B", "ä", ".x"}) write_file(at(name), "");
  EXPECT_EQ(sorted_names(dir_.path()), (std::vector<std::string>{".x", "B", "a", "b", "ä"}));
}

TEST_F(FileTest, LinkOrCopyLinksOnOneFileSystem) {
  write_file(at("a"), "x");
  link_or_copy(at("a"), at("b"));
  EXPECT_EQ(fs::hard_link_count(at("a")), 2u);
  EXPECT_EQ(error_from([&] { link_or_copy(at("a"), at("b")); }),
            "error: cannot link 'DIR/a' to 'DIR/b': File exists");
}

TEST_F(FileTest, LinkOrCopyCopiesAcrossFileSystems) {
  struct stat here {};
  struct stat there {};
  if (stat(dir().c_str(), &here) != 0 || stat("/dev/shm", &there) != 0 ||
      here.st_dev == there.st_dev) {
    GTEST_SKIP() << "needs /dev/shm as another file system";
  }
  const TempDir other("/dev/shm", "file-test-");
  const std::string text(3'000'001, 'x');
  write_file(other.path() / "a", text, 0444);
  link_or_copy(other.path() / "a", at("copy"));
  EXPECT_EQ(read_file(at("copy")), text);
  EXPECT_EQ(mode_of(at("copy")), 0444u);
  EXPECT_EQ(error_from([&] { link_or_copy(other.path() / "a", at("copy")); }).substr(0, 6),
            "error:");
  EXPECT_EQ(sorted_names(dir_.path()), std::vector<std::string>{"copy"});
}

TEST_F(FileTest, TempDirIsPrivateAndGoesAway) {
  fs::path path;
  {
    const TempDir temporary(dir_.path(), "x-");
    path = temporary.path();
    EXPECT_EQ(mode_of(path), 0700u);
    write_file(path / "file", "");
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(FileTest, FreeBytesAsksTheFileSystem) {
  EXPECT_GT(free_bytes(dir_.path()), 0u);
  EXPECT_EQ(error_from([&] { free_bytes(at("none")); }),
            "error: cannot ask for the free space of 'DIR/none': No such file or directory");
}

TEST_F(FileTest, LockExcludesOthers) {
  std::optional<FileLock> lock = FileLock::try_lock(at("lock"), FileLock::Mode::exclusive);
  ASSERT_TRUE(lock);
  EXPECT_FALSE(FileLock::try_lock(at("lock"), FileLock::Mode::exclusive));
  EXPECT_FALSE(FileLock::try_lock(at("lock"), FileLock::Mode::shared));
  lock.reset();
  const auto one = FileLock::try_lock(at("lock"), FileLock::Mode::shared);
  const auto two = FileLock::try_lock(at("lock"), FileLock::Mode::shared);
  EXPECT_TRUE(one && two);
  EXPECT_FALSE(FileLock::try_lock(at("lock"), FileLock::Mode::exclusive));
}

TEST_F(FileTest, WaitingLockNamesTheHolderAndGetsTheLock) {
  std::optional<FileLock> held = FileLock::try_lock(at("lock"), FileLock::Mode::exclusive);
  int holder = 0;
  int calls = 0;
  const FileLock lock(at("lock"), FileLock::Mode::exclusive, [&](int pid) {
    holder = pid;
    ++calls;
    held.reset();
  });
  EXPECT_EQ(holder, getpid());
  EXPECT_EQ(calls, 1);
}

TEST_F(FileTest, LockOfARemovedFileIsTakenAnew) {
  const auto old = FileLock::try_lock(at("lock"), FileLock::Mode::exclusive);
  fs::remove(at("lock"));
  const auto lock = FileLock::try_lock(at("lock"), FileLock::Mode::exclusive);
  EXPECT_TRUE(lock);
  EXPECT_TRUE(fs::exists(at("lock")));
}

TEST_F(FileTest, LockDoesNotFollowLinks) {
  fs::create_symlink(at("target"), at("lock"));
  EXPECT_THROW(FileLock::try_lock(at("lock"), FileLock::Mode::exclusive), SystemError);
}

}  // namespace
}  // namespace img
