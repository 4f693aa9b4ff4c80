// SPDX-License-Identifier: Apache-2.0
// A strict zip reader that gives the raw streams: local and central headers must tell one story.
#pragma once

#include "builder/base/file.h"
#include "builder/layer/content.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One member, as both of its headers say it.
struct ZipMember {
  std::string name;  ///< as stored; directories end with '/'
  bool is_directory = false;
  std::uint32_t unix_mode =
      0;  ///< upper 16 bits of the external attributes (type bits may be missing)
  std::uint16_t method = 0;  ///< 0 stored, 8 deflate
  std::uint64_t data_offset = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
};

/// A whole archive. open() accepts exactly one central directory whose members cover the file from
/// its first byte to the directory without gap or overlap (in any order), local headers equal to
/// central ones, methods 0 and 8, no encryption, no duplicate names, no prefix, no trailing data,
/// zip64 where it says the same as the rest. Data descriptors are accepted when they agree; an
/// archive comment when nothing in it looks like another end record; names are UTF-8 (flagged
/// unless ASCII) without control characters. Everything else is an InputError that names archive,
/// member and rule. Contents are verified by whoever reads them (open_content; stored members:
/// check_crc).
class ZipFile {
 public:
  /// `name` is what messages call it.
  static ZipFile open(std::shared_ptr<const InputFile> file, std::string name);

  const std::string& name() const { return *name_; }
  const std::vector<ZipMember>& members() const { return members_; }  ///< central directory order
  const ZipMember* find(std::string_view member) const;
  Content content(const ZipMember& member) const;
  /// Whole member, verified (size and CRC); InputError naming archive and member otherwise.
  std::string read(const ZipMember& member, std::uint64_t limit = 64ull << 20) const;
  /// Reads the member through buffers of at most 1 MiB, in order, and verifies size and CRC;
  /// InputError naming archive and member when they are not what the headers say.
  void read(const ZipMember& member, const std::function<void(ByteView)>& on_plain) const;
  const std::shared_ptr<const InputFile>& file() const { return file_; }

 private:
  std::shared_ptr<const InputFile> file_;
  std::shared_ptr<const std::string> name_;  ///< contents share it
  std::vector<ZipMember> members_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

}  // namespace img
