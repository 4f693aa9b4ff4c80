// SPDX-License-Identifier: Apache-2.0
// Folders: making, listing and removing them without following links.
#include "builder/base/error.h"
#include "builder/base/file.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace img {
namespace {

std::string in_quotes(const fs::path& path) { return "'" + path.string() + "'"; }

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};
using Dir = std::unique_ptr<DIR, CloseDir>;

/// Unsorted. Reads through a duplicate, so `fd` stays usable.
std::vector<std::string> names_in(int fd, const fs::path& path) {
  // A new open file description: a dup() would share the read position.
  const int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const Dir dir(own >= 0 ? fdopendir(own) : nullptr);
  if (!dir) {
    const int error = errno;
    if (own >= 0) close(own);
    throw SystemError(error, "cannot list " + in_quotes(path));
  }
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(dir.get());
    const int error = errno;
    if (entry == nullptr && error != 0) throw SystemError(error, "cannot list " + in_quotes(path));
    if (entry == nullptr) return names;
    const std::string_view name(entry->d_name);
    if (name != "." && name != "..") names.emplace_back(name);
  }
}

/// Removes what is below one folder. Works by descriptors, so that nobody can swap a folder for a
/// link meanwhile, and stops at mount points, so that a forgotten bind mount is not emptied.
class TreeRemover {
 public:
  TreeRemover(int root, fs::path path, dev_t device)
      : root_(root), path_(std::move(path)), device_(device) {}

  void run() {
    // Folders that were too deep have been moved up to the root; each round shortens them.
    do {
      moved_ = false;
      clear(root_, path_, 0);
    } while (moved_);
  }

 private:
  static constexpr int kMaxDepth = 100;  // one descriptor each

  void clear(int folder, const fs::path& path, int depth) {
    for (const std::string& name : names_in(folder, path)) {
      remove(folder, name, path / name, depth);
    }
  }

  void remove(int folder, const std::string& name, const fs::path& path, int depth) {
    int error = unlink_name(folder, name, 0);
    if (error == EACCES || error == EPERM) {
      make_writable(folder);
      error = unlink_name(folder, name, 0);
    }
    if (error == 0) return;
    if (error != EISDIR && error != EPERM) fail(error, path);
    remove_folder(folder, name, path, depth);
  }

  void remove_folder(int folder, const std::string& name, const fs::path& path, int depth) {
    if (depth >= kMaxDepth) return move_up(folder, name, path);
    const Fd child = open_folder(folder, name, path);
    clear(child.get(), path, depth + 1);
    const int error = unlink_name(folder, name, AT_REMOVEDIR);
    if (error != 0) fail(error, path);
  }

  Fd open_folder(int folder, const std::string& name, const fs::path& path) {
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct stat info {};
    if (fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) fail(errno, path);
    if (info.st_dev != device_) {
      throw UnavailableError("cannot remove " + in_quotes(path) + ": it is on another file system");
    }
    if (S_ISDIR(info.st_mode) && (info.st_mode & 0700) != 0700) {
      fchmodat(folder, name.c_str(), 0700, 0);  // if it does not help, open() says so
    }
    Fd fd(openat(folder, name.c_str(), kFlags));
    if (!fd) fail(errno, path);
    return fd;
  }

  void move_up(int folder, const std::string& name, const fs::path& path) {
    while (true) {
      const std::string target = ".too-deep-" + std::to_string(++moves_);
      if (renameat2(folder, name.c_str(), root_, target.c_str(), RENAME_NOREPLACE) == 0) break;
      if (errno != EEXIST) fail(errno, path);
    }
    moved_ = true;
  }

  static int unlink_name(int folder, const std::string& name, int flags) {
    return unlinkat(folder, name.c_str(), flags) == 0 || errno == ENOENT ? 0 : errno;
  }

  static void make_writable(int folder) {
    struct stat info {};
    if (fstat(folder, &info) == 0) fchmod(folder, (info.st_mode & 07777) | 0700);
  }

  [[noreturn]] static void fail(int error, const fs::path& path) {
    throw SystemError(error, "cannot remove " + in_quotes(path));
  }

  int root_;
  fs::path path_;
  dev_t device_;
  std::uint64_t moves_ = 0;
  bool moved_ = false;
};

void make_folder(const fs::path& path) {
  if (mkdir(path.c_str(), 0755) == 0) {
    chmod(path.c_str(), 0755);  // whatever the umask is
    return;
  }
  const int error = errno;
  struct stat info {};
  if (error == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  throw SystemError(error == EEXIST ? ENOTDIR : error, "cannot create folder " + in_quotes(path));
}

}  // namespace

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
  std::string name = (parent / (std::string(prefix) + "XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr) {
    const int error = errno;
    throw SystemError(error, "cannot create a temporary folder in " + in_quotes(parent));
  }
  path_ = name;
}

TempDir::~TempDir() {
  try {
    remove_tree(path_);
  } catch (const std::exception&) {
    // Nothing sensible is left to do; what remains has a temporary name.
  }
}

void create_folders(const fs::path& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return;
  const fs::path parent = path.parent_path();
  if (!parent.empty() && parent != path) create_folders(parent);
  if (path.has_filename()) make_folder(path);  // "a/b/" has none; its parent is "a/b"
}

void remove_tree(const fs::path& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) {
    const int error = errno;
    if (error == ENOENT) return;
    throw SystemError(error, "cannot remove " + in_quotes(path));
  }
  if (S_ISDIR(info.st_mode)) {
    if ((info.st_mode & 0700) != 0700) fchmodat(AT_FDCWD, path.c_str(), 0700, 0);
    const Fd fd = Fd::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    TreeRemover(fd.get(), path, info.st_dev).run();
  }
  if (::remove(path.c_str()) == 0) return;
  const int error = errno;
  if (error != ENOENT) throw SystemError(error, "cannot remove " + in_quotes(path));
}

std::vector<std::string> sorted_names(const fs::path& folder) {
  const Fd fd = Fd::open(folder, O_RDONLY | O_DIRECTORY);
  std::vector<std::string> names = names_in(fd.get(), folder);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace img
