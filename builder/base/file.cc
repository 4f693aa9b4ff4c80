// SPDX-License-Identifier: Apache-2.0
// Single files: descriptors, random access, atomic replacement, locks.
#include "builder/base/file.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kBufferSize = 1 << 20;

std::string in_quotes(const fs::path& path) { return "'" + path.string() + "'"; }

fs::path folder_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

/// Only for tests that make very many files: without syncing, a power loss may lose them.
bool syncing() {
  const char* const value = std::getenv("IMGBUILD_NO_FSYNC");
  return value == nullptr || *value == '\0';
}

std::string random_hex() {
  std::array<std::uint8_t, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    const int error = errno;
    throw SystemError(error, "cannot get random bytes");
  }
  return to_hex(bytes);
}

[[noreturn]] void fail_write(int error, const fs::path& path) {
  ErrorText text{"cannot write " + in_quotes(path)};
  struct statvfs info {};
  if ((error == ENOSPC || error == EDQUOT) && statvfs(folder_of(path).c_str(), &info) == 0) {
    text.details.push_back(
        {"free", with_commas(std::uint64_t{info.f_bavail} * info.f_frsize) + " bytes"});
  }
  throw SystemError(error, std::move(text));
}

/// A failed fsync is never tried again: the kernel may have dropped the pages.
void sync_file(int fd, const fs::path& path) {
  if (!syncing()) return;
  while (fsync(fd) != 0) {
    const int error = errno;
    if (error != EINTR) fail_write(error, path);
  }
}

void sync_folder(const fs::path& folder) {
  if (!syncing()) return;
  const Fd fd = Fd::open(folder, O_RDONLY | O_DIRECTORY);
  if (fsync(fd.get()) == 0) return;
  const int error = errno;
  // Some network and user-space file systems cannot sync a folder.
  if (error != EINVAL && error != ENOSYS && error != ENOTSUP) fail_write(error, folder);
}

int rename_new(const fs::path& from, const fs::path& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  const int error = errno;
  if (error != EINVAL && error != ENOSYS) return error;
  // A file system without this flag: link() does not replace either.
  if (link(from.c_str(), to.c_str()) != 0) return errno;
  return unlink(from.c_str()) == 0 ? 0 : errno;
}

/// Copies in the kernel as far as it can, else through a buffer.
void copy_content(const InputFile& from, AtomicFile& to) {
  if (ioctl(to.fd(), FICLONE, from.fd()) == 0) return;
  std::uint64_t done = 0;
  while (done < from.size()) {
    check_interrupt();
    off_t offset = static_cast<off_t>(done);
    const std::size_t chunk =
        static_cast<std::size_t>(std::min<std::uint64_t>(from.size() - done, 64 << 20));
    const ssize_t count = copy_file_range(from.fd(), &offset, to.fd(), nullptr, chunk, 0);
    if (count <= 0) break;  // the loop below goes on, or says what is wrong
    done += static_cast<std::uint64_t>(count);
  }
  std::vector<std::uint8_t> buffer(done < from.size() ? kBufferSize : 0);
  while (done < from.size()) {
    check_interrupt();
    const std::size_t count = from.read_at(done, buffer);
    if (count == 0) throw IntegrityError(in_quotes(from.path()) + " shrank while it was read");
    to.write(ByteView(buffer).first(count));
    done += count;
  }
}

bool needs_copy(int error) {
  // EPERM: hard links are protected (fs.protected_hardlinks) or unknown to the file system.
  return error == EXDEV || error == EMLINK || error == EPERM || error == EOPNOTSUPP;
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Fd Fd::open(const fs::path& path, int flags, mode_t mode) {
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return Fd(fd);
    const int error = errno;
    if (error != EINTR) throw SystemError(error, "cannot open " + in_quotes(path));
    check_interrupt();
  }
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::shared_ptr<const InputFile> InputFile::open(const fs::path& path) {
  // O_NONBLOCK: a FIFO in place of the file must not hang us.
  Fd fd = Fd::open(path, O_RDONLY | O_NONBLOCK);
  struct stat info {};
  if (fstat(fd.get(), &info) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot read " + in_quotes(path));
  }
  if (S_ISDIR(info.st_mode)) throw SystemError(EISDIR, "cannot read " + in_quotes(path));
  if (!S_ISREG(info.st_mode)) throw InputError(in_quotes(path) + " is not a regular file");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  return std::shared_ptr<const InputFile>(new InputFile(path, std::move(fd), size));
}

std::size_t InputFile::read_at(std::uint64_t offset, ByteSpan buffer) const {
  std::size_t done = 0;
  while (done < buffer.size() && offset + done < size_) {
    const ssize_t count = pread(fd_.get(), buffer.data() + done, buffer.size() - done,
                                static_cast<off_t>(offset + done));
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      throw SystemError(error, "cannot read " + in_quotes(path_));
    }
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

void InputFile::read_exactly_at(std::uint64_t offset, ByteSpan buffer) const {
  const std::size_t count = read_at(offset, buffer);
  if (count == buffer.size()) return;
  throw IntegrityError(ErrorText{
      in_quotes(path_) + " ends too early",
      {{"expected", with_commas(buffer.size()) + " bytes at offset " + with_commas(offset)},
       {"got", with_commas(count) + " bytes"}}});
}

std::size_t FileSource::read(ByteSpan buffer) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left_));
  if (wanted == 0) return 0;
  file_->read_exactly_at(offset_, buffer.first(wanted));
  offset_ += wanted;
  left_ -= wanted;
  return wanted;
}

AtomicFile::AtomicFile(fs::path path, mode_t mode, const fs::path& temporary_folder)
    : path_(std::move(path)),
      temporary_((temporary_folder.empty() ? folder_of(path_) : temporary_folder) /
                 (".tmp-" + std::to_string(getpid()) + "-" + random_hex())),
      mode_(mode) {
  fd_ = Fd(::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd_) {
    const int error = errno;
    fail_write(error, path_);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_ && fd_) unlink(temporary_.c_str());
}

void AtomicFile::write(ByteView bytes) {
  if (buffer_.size() + bytes.size() < kBufferSize) {
    buffer_.append(as_text(bytes));
    return;
  }
  flush();
  if (bytes.size() >= kBufferSize) {
    write_out(bytes);
  } else {
    buffer_.append(as_text(bytes));
  }
}

void AtomicFile::flush() {
  write_out(as_bytes(buffer_));
  buffer_.clear();
}

void AtomicFile::write_out(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      fail_write(error, path_);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void AtomicFile::commit() { commit_to(path_, Existing::replace); }

void AtomicFile::commit_as(const fs::path& final_path) { commit_to(final_path, Existing::replace); }

void AtomicFile::commit_new() { commit_to(path_, Existing::keep); }

void AtomicFile::commit_to(const fs::path& final_path, Existing existing) {
  if (committed_) throw InternalError("file " + in_quotes(final_path) + " is committed twice");
  flush();
  if (fchmod(fd_.get(), mode_) != 0) {
    const int error = errno;
    fail_write(error, final_path);
  }
  sync_file(fd_.get(), final_path);
  int error = 0;
  if (existing == Existing::keep) {
    error = rename_new(temporary_, final_path);
  } else if (rename(temporary_.c_str(), final_path.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) fail_write(error, final_path);
  committed_ = true;
  sync_folder(folder_of(final_path));
}

std::string read_file(const fs::path& path, std::uint64_t limit) {
  const Fd fd = Fd::open(path, O_RDONLY);
  std::string text;
  std::vector<char> buffer(64 * 1024);
  while (true) {
    const ssize_t count = read(fd.get(), buffer.data(), buffer.size());
    if (count < 0) {
      const int error = errno;
      if (error != EINTR) throw SystemError(error, "cannot read " + in_quotes(path));
      check_interrupt();
      continue;
    }
    if (count == 0) return text;
    if (static_cast<std::uint64_t>(count) > limit - text.size()) {
      throw InputError(ErrorText{in_quotes(path) + " is larger than allowed",
                                 {{"limit", with_commas(limit) + " bytes"}}});
    }
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_file(const fs::path& path, std::string_view text, mode_t mode) {
  AtomicFile file(path, mode);
  file.write(as_bytes(text));
  file.commit();
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  if (link(from.c_str(), to.c_str()) == 0) return;
  const int error = errno;
  if (!needs_copy(error)) {
    throw SystemError(error, "cannot link " + in_quotes(from) + " to " + in_quotes(to));
  }
  const std::shared_ptr<const InputFile> source = InputFile::open(from);
  struct stat info {};
  if (fstat(source->fd(), &info) != 0) {
    const int stat_error = errno;
    throw SystemError(stat_error, "cannot read " + in_quotes(from));
  }
  AtomicFile copy(to, info.st_mode & 07777);
  copy_content(*source, copy);
  copy.commit_new();
}

std::uint64_t free_bytes(const fs::path& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot ask for the free space of " + in_quotes(path));
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

namespace {

/// NFS grants an exclusive lock only on a writable descriptor; a shared one on a read-only file
/// system must do without.
Fd open_lock_file(const fs::path& path, FileLock::Mode mode) {
  try {
    return Fd::open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
  } catch (const SystemError& error) {
    const bool read_only = error.errno_value() == EROFS || error.errno_value() == EACCES;
    if (!read_only || mode == FileLock::Mode::exclusive) throw;
    return Fd::open(path, O_RDONLY | O_NOFOLLOW);
  }
}

/// False when somebody else holds it.
bool lock_now(const Fd& fd, const fs::path& path, FileLock::Mode mode) {
  const int operation = (mode == FileLock::Mode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  while (flock(fd.get(), operation) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EWOULDBLOCK) return false;
    throw SystemError(
        error,
        ErrorText{.message = "cannot lock " + in_quotes(path),
                  .hint = "put the folder on a file system that knows flock, e.g. a local one"});
  }
  return true;
}

/// Whether the locked file still is the one under that name; else another process has removed it
/// and whoever comes next locks another file.
bool still_there(const Fd& fd, const fs::path& path) {
  struct stat ours {};
  struct stat named {};
  return fstat(fd.get(), &ours) == 0 && lstat(path.c_str(), &named) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/// Tells waiters who holds the lock. Only a help for people, so failures do not matter.
void note_holder(const Fd& fd) {
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd.get(), 0) != 0) return;
  if (pwrite(fd.get(), pid.data(), pid.size(), 0) < 0) return;
}

int holder_of(const Fd& fd) {
  std::array<char, 16> buffer{};
  const ssize_t count = pread(fd.get(), buffer.data(), buffer.size(), 0);
  if (count <= 0) return 0;
  const auto pid = parse_decimal(trim({buffer.data(), static_cast<std::size_t>(count)}));
  return pid && *pid <= 1u << 30 ? static_cast<int>(*pid) : 0;
}

std::optional<Fd> take_lock(const fs::path& path, FileLock::Mode mode, int& holder) {
  while (true) {
    Fd fd = open_lock_file(path, mode);
    if (!lock_now(fd, path, mode)) {
      holder = holder_of(fd);
      return std::nullopt;
    }
    if (!still_there(fd, path)) continue;
    if (mode == FileLock::Mode::exclusive) note_holder(fd);
    return fd;
  }
}

}  // namespace

FileLock::FileLock(const fs::path& path, Mode mode, const std::function<void(int)>& on_wait) {
  // Polling, because a signal may be delivered to another thread and then would not end a blocking
  // flock() in this one.
  constexpr std::chrono::milliseconds kLongestPause(50);
  std::chrono::milliseconds pause(1);
  bool told = false;
  while (true) {
    int holder = 0;
    if (std::optional<Fd> fd = take_lock(path, mode, holder)) {
      fd_ = std::move(*fd);
      return;
    }
    if (!told && on_wait) on_wait(holder);
    told = true;
    check_interrupt();
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

std::optional<FileLock> FileLock::try_lock(const fs::path& path, Mode mode) {
  int holder = 0;
  std::optional<Fd> fd = take_lock(path, mode, holder);
  if (!fd) return std::nullopt;
  return FileLock(std::move(*fd));
}

}  // namespace img
