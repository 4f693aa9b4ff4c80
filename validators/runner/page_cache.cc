// SPDX-License-Identifier: Apache-2.0
// Walks a folder by descriptors and drops what its files have in memory.
#include "validators/runner/page_cache.h"

#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { closedir(dir); }
};

void drop_below(Fd folder) {
  const int fd = folder.get();
  const std::unique_ptr<DIR, CloseDir> dir(fdopendir(fcntl(fd, F_DUPFD_CLOEXEC, 0)));
  if (!dir) return;
  while (const dirent* const entry = readdir(dir.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    // Neither a link nor a fifo can lead or hold this up.
    Fd child(openat(fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (!child || fstat(child.get(), &info) != 0) continue;
    if (S_ISDIR(info.st_mode)) {
      drop_below(std::move(child));
    } else if (S_ISREG(info.st_mode)) {
      posix_fadvise(child.get(), 0, 0, POSIX_FADV_DONTNEED);
    }
  }
}

}  // namespace

void drop_from_page_cache(const fs::path& folder) {
  Fd fd = Fd::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  syncfs(fd.get());  // what is only in memory cannot be forgotten
  drop_below(std::move(fd));
}

}  // namespace img
