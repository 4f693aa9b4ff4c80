// SPDX-License-Identifier: Apache-2.0
// Takes one shared library as a stream and reads its ELF facts.
#include "builder/facts/elf_spool.h"

#include "builder/base/error.h"
#include "validators/elf/elf_reader.h"

#include <cerrno>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace img {
namespace {

Fd open_nameless(const fs::path& folder) {
  std::string name = (folder / ".elf-XXXXXX").string();
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  const int error = errno;
  if (!fd) throw SystemError(error, "cannot create a file in '" + folder.string() + "'");
  ::unlink(name.c_str());
  return fd;
}

/// The file's bytes, as long as this object lives.
class Mapping {
 public:
  Mapping(int fd, std::uint64_t size) {
    if (size == 0) return;
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    const int error = errno;
    if (address == MAP_FAILED) throw SystemError(error, "cannot map a scratch file");
    bytes_ = ByteView(static_cast<const std::uint8_t*>(address), size);
  }
  ~Mapping() {
    if (!bytes_.empty()) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ByteView bytes() const { return bytes_; }

 private:
  ByteView bytes_;
};

}  // namespace

ElfSpool::ElfSpool(const fs::path& folder, std::string name)
    : name_(std::move(name)),
      fd_(open_nameless(folder)),
      filter_([this](std::uint64_t offset, ByteView bytes) { place(offset, bytes); }) {}

void ElfSpool::place(std::uint64_t offset, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    const int error = errno;
    if (count < 0 && error == EINTR) continue;
    if (count < 0) throw SystemError(error, "cannot write a scratch file");
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void ElfSpool::write(ByteView bytes) {
  hash_.update(bytes);
  filter_.write(bytes);
}

void ElfSpool::finish() {
  filter_.finish();
  digest_ = hash_.finish();
  if (::ftruncate(fd_.get(), static_cast<off_t>(filter_.size())) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot write a scratch file");
  }
  const Mapping mapping(fd_.get(), filter_.size());
  facts_ = read_elf(mapping.bytes(), name_);
  fd_.reset();
}

}  // namespace img
