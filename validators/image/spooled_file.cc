// SPDX-License-Identifier: Apache-2.0
// A scratch file without a name that takes one file of an image after the other, to be mapped.
#include "validators/image/spooled_file.h"

#include "builder/base/error.h"

#include <cerrno>
#include <string>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace img {
namespace {

/// Some file systems (overlay of older kernels, some network ones) have no nameless files.
Fd open_nameless(const fs::path& folder) {
  Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd) return fd;
  std::string name = (folder / ".inspect-XXXXXX").string();
  Fd named(::mkostemp(name.data(), O_CLOEXEC));
  const int error = errno;
  if (!named) throw SystemError(error, "cannot create a file in '" + folder.string() + "'");
  ::unlink(name.c_str());
  return named;
}

}  // namespace

SpooledFile::SpooledFile(const fs::path& folder) : fd_(open_nameless(folder)) {}

void SpooledFile::append(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    const int error = errno;
    if (count < 0 && error == EINTR) continue;
    if (count < 0) throw SystemError(error, "cannot write a scratch file");
    size_ += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

SpooledFile::Mapping::Mapping(int fd, std::uint64_t size) {
  if (size == 0) return;
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  const int error = errno;
  if (address == MAP_FAILED) throw SystemError(error, "cannot map a scratch file");
  bytes_ = ByteView(static_cast<const std::uint8_t*>(address), size);
}

SpooledFile::Mapping::~Mapping() {
  if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

}  // namespace img
