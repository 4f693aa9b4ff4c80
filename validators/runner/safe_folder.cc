// SPDX-License-Identifier: Apache-2.0
// Opens folders through openat2(2), or name by name without following links.
#include "validators/runner/safe_folder.h"

#include "builder/base/error.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace img {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

int open_beneath(int root, const char* relative) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(kFolderFlags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  while (true) {
    const long fd = syscall(SYS_openat2, root, relative, &how, sizeof(how));
    // EAGAIN: something was renamed at that moment, so the kernel could not be sure.
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) return static_cast<int>(fd);
  }
}

/// Old kernels do not know openat2, and filters of container engines forbid it.
SafeFolder::Walk best_walk(int root) {
  const Fd probe(open_beneath(root, "."));
  return probe ? SafeFolder::Walk::kernel : SafeFolder::Walk::by_name;
}

}  // namespace

SafeFolder::SafeFolder(const fs::path& root, Walk walk)
    : path_(root), root_(Fd::open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)), walk_(walk) {
  struct stat info {};
  if (fstat(root_.get(), &info) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot open folder '" + root.string() + "'");
  }
  device_ = info.st_dev;
}

SafeFolder::SafeFolder(const fs::path& root) : SafeFolder(root, Walk::by_name) {
  walk_ = best_walk(root_.get());
}

Fd SafeFolder::try_open(const std::string& relative) const {
  if (walk_ == Walk::by_name) return open_by_name(relative);
  return Fd(open_beneath(root_.get(), relative.empty() ? "." : relative.c_str()));
}

Fd SafeFolder::open(const std::string& relative) const {
  Fd folder = try_open(relative);
  if (folder) return folder;
  const int error = errno;
  throw SystemError(error, "cannot open folder '" + (path_ / relative).string() + "'");
}

Fd SafeFolder::open_by_name(std::string_view relative) const {
  Fd folder(openat(root_.get(), ".", kFolderFlags));
  while (folder && !relative.empty()) {
    const std::size_t slash = relative.find('/');
    const std::string name(relative.substr(0, slash));
    relative.remove_prefix(slash == std::string_view::npos ? relative.size() : slash + 1);
    if (name == "." || name == ".." || name.empty()) {
      errno = EINVAL;
      return Fd();
    }
    Fd next(openat(folder.get(), name.c_str(), kFolderFlags));
    struct stat info {};
    if (next && (fstat(next.get(), &info) != 0 || info.st_dev != device_)) {
      errno = EXDEV;
      return Fd();
    }
    const int error = errno;
    folder = std::move(next);
    errno = error;
  }
  return folder;
}

}  // namespace img
