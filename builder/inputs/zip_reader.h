// SPDX-License-Identifier: Apache-2.0
// A strict zip reader that gives the raw streams: local and central headers must tell one story.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "builder/base/file.h"
#include "builder/layer/content.h"

namespace img {

/// One member, as both of its headers say it.
struct ZipMember {
  std::string name;             ///< as stored; directories end with '/'
  bool is_directory = false;
  std::uint32_t unix_mode = 0;  ///< upper 16 bits of the external attributes (type bits may be missing)
  std::uint16_t method = 0;     ///< 0 stored, 8 deflate
  std::uint64_t data_offset = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint32_t crc32 = 0;
};

/// A whole archive. open() accepts exactly one central directory whose members cover the file from its
/// first byte to the directory without gap or overlap, local headers equal to central ones, methods 0 and
/// 8, no encryption, no duplicate names, no prefix, no trailing data (an archive comment included), zip64
/// where sizes need it. Data descriptors are accepted when they agree. Everything else is an InputError
/// that names archive, member and rule. Contents are verified by whoever reads them (open_content).
class ZipFile {
 public:
  /// `name` is what messages call it.
  static ZipFile open(std::shared_ptr<const InputFile> file, std::string name);

  const std::string& name() const { return name_; }
  const std::vector<ZipMember>& members() const { return members_; }  ///< central directory order
  const ZipMember* find(std::string_view member) const;
  Content content(const ZipMember& member) const;
  std::string read(const ZipMember& member, std::uint64_t limit = 64ull << 20) const;

 private:
  std::shared_ptr<const InputFile> file_;
  std::string name_;
  std::vector<ZipMember> members_;
};

}  // namespace img
