// SPDX-License-Identifier: Apache-2.0
// The end of a zip file: its end records and the central directory, read strictly. Private to
// inputs.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img::zip {

// APPNOTE.TXT 4.3: signatures, little-endian.
inline constexpr std::uint32_t kLocalHeader = 0x04034b50;
inline constexpr std::uint32_t kDataDescriptor = 0x08074b50;
inline constexpr std::uint32_t kCentralHeader = 0x02014b50;
inline constexpr std::uint32_t kEndRecord = 0x06054b50;
inline constexpr std::uint32_t kZip64EndRecord = 0x06064b50;
inline constexpr std::uint32_t kZip64Locator = 0x07064b50;

inline constexpr std::uint16_t kFlagEncrypted = 1 << 0;
inline constexpr std::uint16_t kFlagDescriptor = 1 << 3;
inline constexpr std::uint16_t kFlagPatch = 1 << 5;
inline constexpr std::uint16_t kFlagStrongEncryption = 1 << 6;
inline constexpr std::uint16_t kFlagUtf8 = 1 << 11;
inline constexpr std::uint16_t kFlagMasked = 1 << 13;

inline constexpr std::uint32_t kIn64 = 0xffffffff;  ///< "the value is in the zip64 extra field"

inline std::uint16_t u16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] | bytes[at + 1] << 8);
}
inline std::uint32_t u32(ByteView bytes, std::size_t at) {
  return u16(bytes, at) | static_cast<std::uint32_t>(u16(bytes, at + 2)) << 16;
}
inline std::uint64_t u64(ByteView bytes, std::size_t at) {
  return u32(bytes, at) | static_cast<std::uint64_t>(u32(bytes, at + 4)) << 32;
}

/// One row of the central directory, zip64 values already in place.
struct CentralRow {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t crc32 = 0;
  std::uint64_t packed_size = 0;
  std::uint64_t size = 0;
  std::uint64_t local_offset = 0;
  std::uint32_t external_attributes = 0;
};

struct CentralDirectory {
  std::vector<CentralRow> rows;
  std::uint64_t offset = 0;  ///< where it starts = where the members must end
};

/// Where the directory starts, by the end records, which lie in the last kMostEndBytes of the file.
std::uint64_t find_directory(const InputFile& file, const std::string& archive);
inline constexpr std::uint64_t kMostEndBytes = 0xffff + 22 + 20 + 56;

/// Finds the one end record (with zip64 records when present) and reads the directory before it.
CentralDirectory read_central_directory(const InputFile& file, const std::string& archive);

/// Data of the extra field with id `id`; an error when it is there twice or the list is malformed.
std::optional<ByteView> find_extra(ByteView extra, std::uint16_t id, const std::string& archive,
                                   std::string_view member);

/// Refuses an Info-ZIP Unicode Path field that gives the member another name.
void require_same_unicode_name(ByteView extra, std::string_view name, const std::string& archive);

/// "'torch.whl': member 'a/b' has …"
InputError member_error(const std::string& archive, std::string_view member, std::string_view rule,
                        std::vector<ErrorDetail> details = {});
/// The file is what its digest says; it is the archive that lies about `member`.
InputError unpacking_error(const std::string& archive, std::string_view member,
                           const IntegrityError& error);
/// "'torch.whl' has …"
InputError archive_error(const std::string& archive, std::string_view rule,
                         std::vector<ErrorDetail> details = {});

}  // namespace img::zip
