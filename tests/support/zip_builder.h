// SPDX-License-Identifier: Apache-2.0
// Any zip, the legal and the hostile: every field of every header can be set apart from the others.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace img::testing {

inline std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

inline std::uint32_t crc_of(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

/// Raw deflate stream.
inline std::string deflated(std::string_view plain, int level = 6) {
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string packed(deflateBound(&stream, plain.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// One member. Fields without a value are what an honest writer would put there.
struct ZipEntry {
  std::string name;
  std::string plain = {};
  std::uint32_t mode = 0100644;
  std::uint16_t method = 8;
  std::uint16_t flags = 0;
  std::optional<std::string> packed = {};

  std::optional<std::uint32_t> crc = {}, size = {}, packed_size = {}, offset = {};  // central
  std::string extra = {}, comment = {};
  std::optional<std::string> local_name = {};
  std::optional<std::uint16_t> local_flags = {}, local_method = {};
  std::optional<std::uint32_t> local_crc = {}, local_size = {}, local_packed_size = {};
  std::string local_extra = {};

  std::string before = {};  ///< between the member before and the local header
  std::string after = {};   ///< right after the data: a descriptor, or what does not belong there
  bool in_file = true;
  bool in_directory = true;

  std::string data() const {
    if (packed) return *packed;
    return method == 8 ? deflated(plain) : plain;
  }
};

/// A whole archive.
struct ZipParts {
  std::vector<ZipEntry> entries;
  std::string prefix = {};
  std::string before_directory = {};
  std::string before_end = {};  ///< between directory and end records
  std::string comment = {};
  std::string suffix = {};
  std::optional<std::uint16_t> end_count = {}, end_disk = {};
  std::optional<std::uint32_t> end_size = {}, end_offset = {};
  bool zip64 = false;  ///< adds zip64 end records
  std::optional<std::uint64_t> zip64_count = {}, zip64_size = {}, zip64_offset = {},
                               zip64_record = {};
  bool reverse_directory = false;
};

inline std::string data_descriptor(const ZipEntry& entry, bool signature, bool wide) {
  const int width = wide ? 8 : 4;
  return (signature ? std::string("PK\x07\x08") : std::string()) + little(crc_of(entry.plain), 4) +
         little(entry.data().size(), width) + little(entry.plain.size(), width);
}

/// zip64 extra field with these 8-byte values.
inline std::string zip64_extra(const std::vector<std::uint64_t>& values) {
  std::string body;
  for (const std::uint64_t value : values) body += little(value, 8);
  return little(1, 2) + little(body.size(), 2) + body;
}

inline std::string local_part(const ZipEntry& entry) {
  const std::string data = entry.data(), name = entry.local_name.value_or(entry.name);
  return entry.before + "PK\x03\x04" + little(20, 2) +
         little(entry.local_flags.value_or(entry.flags), 2) +
         little(entry.local_method.value_or(entry.method), 2) + little(0, 4) +
         little(entry.local_crc.value_or(entry.crc.value_or(crc_of(entry.plain))), 4) +
         little(entry.local_packed_size.value_or(
                    entry.packed_size.value_or(static_cast<std::uint32_t>(data.size()))),
                4) +
         little(entry.local_size.value_or(
                    entry.size.value_or(static_cast<std::uint32_t>(entry.plain.size()))),
                4) +
         little(name.size(), 2) + little(entry.local_extra.size(), 2) + name + entry.local_extra +
         data + entry.after;
}

inline std::string central_part(const ZipEntry& entry, std::uint32_t offset) {
  return "PK\x01\x02" + little(0x0314, 2) + little(20, 2) + little(entry.flags, 2) +
         little(entry.method, 2) + little(0, 4) +
         little(entry.crc.value_or(crc_of(entry.plain)), 4) +
         little(entry.packed_size.value_or(static_cast<std::uint32_t>(entry.data().size())), 4) +
         little(entry.size.value_or(static_cast<std::uint32_t>(entry.plain.size())), 4) +
         little(entry.name.size(), 2) + little(entry.extra.size(), 2) +
         little(entry.comment.size(), 2) + little(0, 2) + little(0, 2) +
         little(std::uint64_t{entry.mode} << 16, 4) + little(entry.offset.value_or(offset), 4) +
         entry.name + entry.extra + entry.comment;
}

inline std::string build_zip(const ZipParts& parts) {
  std::string zip = parts.prefix;
  std::vector<std::string> rows;
  for (const ZipEntry& entry : parts.entries) {
    const auto offset = static_cast<std::uint32_t>(zip.size() + entry.before.size());
    if (entry.in_file) zip += local_part(entry);
    if (entry.in_directory) rows.push_back(central_part(entry, offset));
  }
  if (parts.reverse_directory) std::reverse(rows.begin(), rows.end());
  std::string directory;
  for (const std::string& row : rows) directory += row;
  zip += parts.before_directory;
  const std::uint64_t directory_offset = zip.size();
  zip += directory + parts.before_end;
  if (parts.zip64) {
    const std::uint64_t record = zip.size();
    zip += "PK\x06\x06" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 4) +
           little(0, 4) + little(parts.zip64_count.value_or(rows.size()), 8) +
           little(parts.zip64_count.value_or(rows.size()), 8) +
           little(parts.zip64_size.value_or(directory.size()), 8) +
           little(parts.zip64_offset.value_or(directory_offset), 8);
    zip +=
        "PK\x06\x07" + little(0, 4) + little(parts.zip64_record.value_or(record), 8) + little(1, 4);
  }
  const std::uint16_t count = parts.end_count.value_or(static_cast<std::uint16_t>(rows.size()));
  return zip + "PK\x05\x06" + little(parts.end_disk.value_or(0), 2) + little(0, 2) +
         little(count, 2) + little(count, 2) +
         little(parts.end_size.value_or(static_cast<std::uint32_t>(directory.size())), 4) +
         little(parts.end_offset.value_or(static_cast<std::uint32_t>(directory_offset)), 4) +
         little(parts.comment.size(), 2) + parts.comment + parts.suffix;
}

}  // namespace img::testing
