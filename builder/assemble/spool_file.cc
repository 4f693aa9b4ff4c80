// SPDX-License-Identifier: Apache-2.0
// A scratch file that is written once from front to back and then read by ranges.
#include "builder/assemble/spool_file.h"

#include "builder/base/error.h"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

}  // namespace

SpoolFile::SpoolFile(fs::path path)
    : path_(std::move(path)),
      fd_(Fd::open(path_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600)) {}

void SpoolFile::write(ByteView bytes) {
  buffer_.append(as_text(bytes));
  position_ += bytes.size();
  if (buffer_.size() >= kBufferBytes) flush();
}

void SpoolFile::finish() { flush(); }

void SpoolFile::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd_.get(), rest.data(), rest.size());
    const int error = errno;
    if (count < 0 && error == EINTR) continue;
    if (count < 0) throw SystemError(error, "cannot write '" + path_.string() + "'");
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  buffer_.clear();
}

}  // namespace img
