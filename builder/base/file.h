// SPDX-License-Identifier: Apache-2.0
// Files: descriptors, atomic replacement, temporary folders, random access, sorted walks.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace img {

namespace fs = std::filesystem;

/// Owns a file descriptor (always close-on-exec).
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  /// open(2) with O_CLOEXEC; throws SystemError "cannot open '<path>'".
  static Fd open(const fs::path& path, int flags, mode_t mode = 0666);

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// A read-only file that many readers share; thread-safe (pread). Immutable while open by contract.
class InputFile {
 public:
  static std::shared_ptr<const InputFile> open(const fs::path& path);

  const fs::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Reads up to buffer.size() bytes at `offset`; less only at the end of the file.
  std::size_t read_at(std::uint64_t offset, ByteSpan buffer) const;
  /// Reads exactly buffer.size() bytes; throws IntegrityError when the file is shorter.
  void read_exactly_at(std::uint64_t offset, ByteSpan buffer) const;
  int fd() const { return fd_.get(); }

 private:
  InputFile(fs::path path, Fd fd, std::uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  fs::path path_;
  Fd fd_;
  std::uint64_t size_;
};

/// Reads `size` bytes of a file from `offset`; a shorter file is an IntegrityError.
class FileSource final : public Source {
 public:
  FileSource(std::shared_ptr<const InputFile> file, std::uint64_t offset, std::uint64_t size)
      : file_(std::move(file)), offset_(offset), left_(size) {}
  explicit FileSource(std::shared_ptr<const InputFile> file) : FileSource(file, 0, file->size()) {}
  std::size_t read(ByteSpan buffer) override;

 private:
  std::shared_ptr<const InputFile> file_;
  std::uint64_t offset_;
  std::uint64_t left_;
};

/// A file that appears under its final name only by commit(): written beside it under a temporary
/// name, synced, renamed, folder synced. Destroyed uncommitted, it leaves nothing behind. Syncing
/// is left out when IMGBUILD_NO_FSYNC is set and not empty (for tests; a power loss may then lose
/// data).
class AtomicFile final : public Sink {
 public:
  /// Creates `<folder>/.tmp-<pid>-<random>`, where the folder is that of `path` unless another one
  /// on its file system is given; it must exist. `mode` is exact (umask-independent).
  explicit AtomicFile(fs::path path, mode_t mode = 0644, const fs::path& temporary_folder = {});
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes) override;
  /// Hands everything written so far to the kernel, so that fd() sees it. commit() does it too.
  void finish() override { flush(); }
  /// fsync + rename + fsync of the folder. `final_path` may differ from the constructor's path but
  /// must be on the same file system.
  void commit();
  void commit_as(const fs::path& final_path);
  /// commit() that fails with EEXIST instead of replacing a file.
  void commit_new();
  const fs::path& temporary_path() const { return temporary_; }
  int fd() const { return fd_.get(); }

 private:
  enum class Existing { replace, keep };
  void commit_to(const fs::path& final_path, Existing existing);
  void flush();
  void write_out(ByteView bytes);
  fs::path path_;
  fs::path temporary_;
  mode_t mode_;
  Fd fd_;
  std::string buffer_;
  bool committed_ = false;
};

/// A folder that is removed with everything in it (never following links).
class TempDir {
 public:
  /// Under `parent`; name starts with `prefix`.
  TempDir(const fs::path& parent, std::string_view prefix);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// Whole file as text; throws SystemError, or InputError over `limit` bytes.
std::string read_file(const fs::path& path, std::uint64_t limit = 64ull << 20);
/// Whole file through AtomicFile.
void write_file(const fs::path& path, std::string_view text, mode_t mode = 0644);
/// mkdir -p with exact mode 0755 for new folders; throws SystemError.
void create_folders(const fs::path& path);
/// rm -rf that never follows links and copes with read-only folders; a missing path is fine.
void remove_tree(const fs::path& path);
/// Names in a folder, sorted bytewise, without "." and "..".
std::vector<std::string> sorted_names(const fs::path& folder);
/// Hard link, else reflink, else copy of `from` to the new name `to` (fails when `to` exists).
void link_or_copy(const fs::path& from, const fs::path& to);
/// Free bytes for this user on the file system of `path`.
std::uint64_t free_bytes(const fs::path& path);

/// Exclusive or shared flock(2) on a lock file; released on destruction or by the kernel at death.
class FileLock {
 public:
  enum class Mode { shared, exclusive };
  /// Blocks; calls `on_wait(pid of the holder, 0 when unknown)` once when it has to wait.
  FileLock(const fs::path& path, Mode mode, const std::function<void(int)>& on_wait = nullptr);
  /// nullopt when somebody else holds it.
  static std::optional<FileLock> try_lock(const fs::path& path, Mode mode);
  FileLock(FileLock&&) = default;
  FileLock& operator=(FileLock&&) = default;

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace img
