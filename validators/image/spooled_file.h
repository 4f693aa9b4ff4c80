// SPDX-License-Identifier: Apache-2.0
// A scratch file without a name that takes one file of an image after the other, to be mapped.
#pragma once

#include "builder/base/file.h"

namespace img {

/// The same pages are written again for each file, so that nothing is ever allocated or flushed
/// twice. Not thread-safe.
class SpooledFile {
 public:
  /// In `folder`, without a name: nothing is left behind whatever happens.
  explicit SpooledFile(const fs::path& folder);

  /// Forgets what was written.
  void restart() { size_ = 0; }
  void append(ByteView bytes);
  std::uint64_t size() const { return size_; }

  /// Bytes of the file, read-only, as long as this object lives and until the next append.
  class Mapping {
   public:
    Mapping(int fd, std::uint64_t size);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ByteView bytes() const { return bytes_; }

   private:
    ByteView bytes_;
  };
  Mapping map() const { return Mapping(fd_.get(), size_); }

 private:
  Fd fd_;
  std::uint64_t size_ = 0;
};

}  // namespace img
