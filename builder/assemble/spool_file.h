// SPDX-License-Identifier: Apache-2.0
// A scratch file that is written once from front to back and then read by ranges.
#pragma once

#include "builder/base/file.h"

#include <cstdint>
#include <memory>
#include <string>

namespace img {

/// Creates `path` (which must not exist). Nothing is synced: the file lives as long as its folder.
class SpoolFile final : public Sink {
 public:
  explicit SpoolFile(fs::path path);

  void write(ByteView bytes) override;
  /// Where the next byte goes.
  std::uint64_t position() const { return position_; }
  /// Writes what is buffered.
  void finish() override;
  /// After finish(): the file, for reading.
  std::shared_ptr<const InputFile> open() const { return InputFile::open(path_); }
  const fs::path& path() const { return path_; }

 private:
  void flush();
  fs::path path_;
  Fd fd_;
  std::string buffer_;
  std::uint64_t position_ = 0;
};

}  // namespace img
