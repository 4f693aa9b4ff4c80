// SPDX-License-Identifier: Apache-2.0
// Partial files: opened, appended to, restarted, handed over.
#include "builder/fetch/part_file.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace img {

PartFile::PartFile(Store& store, const Digest& digest, std::uint64_t wanted_size,
                   std::function<void(std::uint64_t)> on_size)
    : store_(store),
      digest_(digest),
      wanted_size_(wanted_size),
      on_size_(std::move(on_size)),
      path_(store.partial_path(digest)),
      origin_path_(fs::path(path_).replace_extension(".from")) {
  store_.require_writable();
  open();
}

void PartFile::open() {
  struct stat info {};
  if (lstat(path_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) remove_tree(path_);
  fd_ = Fd::open(path_, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
  if (fstat(fd_.get(), &info) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot look at '" + path_.string() + "'");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (size_ > wanted_size_) restart();
}

void PartFile::hash_existing() {
  std::vector<std::uint8_t> buffer(1 << 20);
  std::uint64_t done = 0;
  while (done < size_) {
    check_interrupt();
    const ssize_t count = pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    hash_.update(ByteView(buffer).first(static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
  }
  if (done != size_) return restart();
  on_size_(size_);
}

void PartFile::write(ByteView bytes) {
  if (bytes.size() > wanted_size_ - size_) {
    throw Mismatch{with_commas(wanted_size_) + " bytes", "more bytes", size_ + bytes.size(),
                   source_};
  }
  std::uint64_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = pwrite(fd_.get(), bytes.data() + done, bytes.size() - done,
                                 static_cast<off_t>(size_ + done));
    if (count < 0) {
      const int error = errno;
      if (error == EINTR) continue;
      throw SystemError(
          error,
          ErrorText{.message = "cannot write '" + path_.string() + "'",
                    .details = {{"free", with_commas(free_bytes(store_.root())) + " bytes"}},
                    .hint = error == ENOSPC || error == EDQUOT
                                ? "free some space ('imgbuild cache gc') or use --cache-dir DIR"
                                : ""});
    }
    done += static_cast<std::uint64_t>(count);
  }
  hash_.update(bytes);
  size_ += bytes.size();
  on_size_(size_);
}

void PartFile::restart() {
  if (ftruncate(fd_.get(), 0) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot write '" + path_.string() + "'");
  }
  size_ = 0;
  hash_ = Sha256();
  remove_tree(origin_path_);
  on_size_(0);
}

void PartFile::take() {
  if (!is_complete()) {
    throw Mismatch{with_commas(wanted_size_) + " bytes", with_commas(size_) + " bytes", size_,
                   source_};
  }
  const Digest got = Digest::sha256(hash_.finish());
  hash_ = Sha256();
  if (got != digest_) {
    const std::uint64_t bytes = size_;
    restart();
    throw Mismatch{digest_.str(), got.str(), bytes, source_};
  }
  fd_.reset();
  store_.adopt(path_, digest_);
  remove_tree(origin_path_);
}

void PartFile::set_origin(const std::string& address, const std::string& validator) {
  // Not synced: a lost one costs nothing, a wrong one is found by the digest.
  const Fd fd = Fd::open(origin_path_, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
  const std::string text = validator + "\n" + address + "\n";
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    remove_tree(origin_path_);
  }
}

std::string PartFile::validator_of(const std::string& address) const {
  std::error_code ignored;
  if (!fs::is_regular_file(origin_path_, ignored)) return {};
  const std::vector<std::string> lines = split(read_file(origin_path_, 1 << 16), '\n');
  return lines.size() >= 2 && lines[1] == address ? lines[0] : std::string();
}

}  // namespace img
