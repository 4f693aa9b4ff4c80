// SPDX-License-Identifier: Apache-2.0
// Finds the end records of a zip file and reads its central directory.
#include "builder/inputs/zip_directory.h"

#include "builder/base/text.h"

#include <algorithm>

namespace img::zip {
namespace {

constexpr std::size_t kEndSize = 22;
constexpr std::size_t kZip64EndSize = 56;
constexpr std::size_t kLocatorSize = 20;
constexpr std::size_t kCentralSize = 46;
constexpr std::uint64_t kMaxComment = 0xffff;
constexpr std::uint64_t kMaxDirectory = 512ull << 20;

/// The end record and what it says, zip64 values already in place.
struct End {
  std::uint64_t rows = 0;
  std::uint64_t directory_size = 0;
  std::uint64_t directory_offset = 0;
  std::uint64_t directory_end = 0;  ///< offset of the first end record
};

std::vector<std::uint8_t> read_range(const InputFile& file, std::uint64_t offset,
                                     std::uint64_t size) {
  std::vector<std::uint8_t> bytes(size);
  file.read_exactly_at(offset, bytes);
  return bytes;
}

/// Offset of the one end record. Readers look for it from the end of the file, from a fixed place
/// or through the members, so a file in which those could differ is refused.
std::uint64_t find_end_record(const InputFile& file, const std::string& archive) {
  const std::uint64_t tail_size = std::min(file.size(), kMaxComment + kEndSize);
  const std::uint64_t tail_offset = file.size() - tail_size;
  const auto tail = read_range(file, tail_offset, tail_size);
  std::vector<std::uint64_t> fitting;
  std::optional<std::uint64_t> last_signature;
  for (std::size_t at = 0; at + 4 <= tail.size(); ++at) {
    if (u32(tail, at) != kEndRecord) continue;
    last_signature = tail_offset + at;
    if (at + kEndSize <= tail.size() && at + kEndSize + u16(tail, at + 20) == tail.size())
      fitting.push_back(tail_offset + at);
  }
  if (!last_signature)
    throw archive_error(archive, "is not a zip file: it has no end of central directory record");
  if (fitting.empty())
    throw archive_error(archive, "has bytes after its end of central directory record");
  if (fitting.size() > 1 || *last_signature != fitting.front())
    throw archive_error(archive, "has more than one end of central directory record");
  return fitting.front();
}

void require_field(const std::string& archive, const char* field, std::uint64_t short_value,
                   std::uint64_t marker, std::uint64_t value) {
  if (short_value == marker || short_value == value) return;
  throw archive_error(
      archive, "has zip64 end records that contradict its end record about " + std::string(field),
      {{"end record", std::to_string(short_value)}, {"zip64 end record", std::to_string(value)}});
}

/// The zip64 end record that the locator right before the end record points at.
End read_zip64_end(const InputFile& file, const std::string& archive, ByteView locator,
                   std::uint64_t locator_offset, ByteView end) {
  const std::uint64_t offset = u64(locator, 8);
  if (u32(locator, 4) != 0 || u32(locator, 16) > 1 || locator_offset < kZip64EndSize ||
      offset != locator_offset - kZip64EndSize)
    throw archive_error(archive, "has a zip64 locator that does not point at the record before it");
  const auto record = read_range(file, offset, kZip64EndSize);
  if (u32(record, 0) != kZip64EndRecord || u64(record, 4) != kZip64EndSize - 12)
    throw archive_error(archive, "has a malformed zip64 end of central directory record");
  if (u32(record, 16) != 0 || u32(record, 20) != 0 || u64(record, 24) != u64(record, 32))
    throw archive_error(archive, "is split over several files");
  const End result{u64(record, 32), u64(record, 40), u64(record, 48), offset};
  require_field(archive, "the number of members", u16(end, 10), 0xffff, result.rows);
  require_field(archive, "the size of the directory", u32(end, 12), kIn64, result.directory_size);
  require_field(archive, "the place of the directory", u32(end, 16), kIn64,
                result.directory_offset);
  return result;
}

End read_end(const InputFile& file, const std::string& archive) {
  const std::uint64_t offset = find_end_record(file, archive);
  const auto end = read_range(file, offset, kEndSize);
  const bool one_file = (u16(end, 4) == 0 || u16(end, 4) == 0xffff) &&
                        (u16(end, 6) == 0 || u16(end, 6) == 0xffff) && u16(end, 8) == u16(end, 10);
  if (!one_file) throw archive_error(archive, "is split over several files");
  if (offset >= kLocatorSize) {
    const std::uint64_t locator_offset = offset - kLocatorSize;
    const auto locator = read_range(file, locator_offset, kLocatorSize);
    if (u32(locator, 0) == kZip64Locator)
      return read_zip64_end(file, archive, locator, locator_offset, end);
  }
  return {u16(end, 10), u32(end, 12), u32(end, 16), offset};
}

/// Takes the next 8-byte value of the zip64 extra field.
std::uint64_t take_zip64(ByteView& rest, const std::string& archive, std::string_view member) {
  if (rest.size() < 8) throw member_error(archive, member, "has no zip64 value for a large size");
  const std::uint64_t value = u64(rest, 0);
  rest = rest.subspan(8);
  return value;
}

CentralRow parse_row(ByteView bytes, std::size_t name_size, std::size_t extra_size,
                     const std::string& archive) {
  CentralRow row;
  row.name = as_text(bytes.subspan(kCentralSize, name_size));
  row.flags = u16(bytes, 8);
  row.method = u16(bytes, 10);
  row.crc32 = u32(bytes, 16);
  row.packed_size = u32(bytes, 20);
  row.size = u32(bytes, 24);
  row.local_offset = u32(bytes, 42);
  row.external_attributes = u32(bytes, 38);
  if (u16(bytes, 34) != 0 && u16(bytes, 34) != 0xffff)
    throw archive_error(archive, "is split over several files");
  const ByteView extra = bytes.subspan(kCentralSize + name_size, extra_size);
  ByteView wide = find_extra(extra, 0x0001, archive, row.name).value_or(ByteView{});
  // APPNOTE 4.5.3: only the fields that say so are in the extra field, in this order.
  if (row.size == kIn64) row.size = take_zip64(wide, archive, row.name);
  if (row.packed_size == kIn64) row.packed_size = take_zip64(wide, archive, row.name);
  if (row.local_offset == kIn64) row.local_offset = take_zip64(wide, archive, row.name);
  require_same_unicode_name(extra, row.name, archive);
  return row;
}

}  // namespace

InputError archive_error(const std::string& archive, std::string_view rule,
                         std::vector<ErrorDetail> details) {
  return InputError(
      ErrorText{"'" + printable(archive) + "' " + std::string(rule), std::move(details)});
}

InputError member_error(const std::string& archive, std::string_view member, std::string_view rule,
                        std::vector<ErrorDetail> details) {
  return InputError(ErrorText{
      "'" + printable(archive) + "': member '" + printable(member) + "' " + std::string(rule),
      std::move(details)});
}

InputError unpacking_error(const std::string& archive, std::string_view member,
                           const IntegrityError& error) {
  return member_error(archive, member, "does not unpack to what its headers say",
                      {{"reason", error.text().message}});
}

std::optional<ByteView> find_extra(ByteView extra, std::uint16_t id, const std::string& archive,
                                   std::string_view member) {
  std::optional<ByteView> found;
  while (extra.size() >= 4) {
    const std::size_t size = u16(extra, 2);
    if (size + 4 > extra.size()) throw member_error(archive, member, "has a malformed extra field");
    if (u16(extra, 0) == id) {
      if (found) throw member_error(archive, member, "has the same extra field twice");
      found = extra.subspan(4, size);
    }
    extra = extra.subspan(4 + size);
  }
  // Some writers pad the list to an alignment.
  if (!std::all_of(extra.begin(), extra.end(), [](std::uint8_t byte) { return byte == 0; }))
    throw member_error(archive, member, "has a malformed extra field");
  return found;
}

void require_same_unicode_name(ByteView extra, std::string_view name, const std::string& archive) {
  const auto field = find_extra(extra, 0x7075, archive, name);
  if (!field) return;
  if (field->size() < 5 || as_text(field->subspan(5)) != name)
    throw member_error(archive, name, "has a second, different name in a Unicode path field");
}

namespace {

End read_consistent_end(const InputFile& file, const std::string& archive) {
  const End end = read_end(file, archive);
  if (end.directory_size > end.directory_end ||
      end.directory_offset != end.directory_end - end.directory_size)
    throw archive_error(archive, "has a central directory that is not where its end record says",
                        {{"expected", "it ends at byte " + std::to_string(end.directory_end)},
                         {"got", std::to_string(end.directory_size) + " bytes from byte " +
                                     std::to_string(end.directory_offset)}});
  if (end.directory_size > kMaxDirectory)
    throw archive_error(archive,
                        "has a central directory of more than " + human_size(kMaxDirectory));
  return end;
}

}  // namespace

std::uint64_t find_directory(const InputFile& file, const std::string& archive) {
  return read_consistent_end(file, archive).directory_offset;
}

CentralDirectory read_central_directory(const InputFile& file, const std::string& archive) {
  const End end = read_consistent_end(file, archive);
  const auto bytes = read_range(file, end.directory_offset, end.directory_size);
  CentralDirectory directory;
  directory.offset = end.directory_offset;
  ByteView rest = bytes;
  while (!rest.empty()) {
    if (rest.size() < kCentralSize || u32(rest, 0) != kCentralHeader)
      throw archive_error(archive, "has a malformed central directory");
    const std::size_t name_size = u16(rest, 28), extra_size = u16(rest, 30);
    const std::size_t row_size = kCentralSize + name_size + extra_size + u16(rest, 32);
    if (row_size > rest.size()) throw archive_error(archive, "has a malformed central directory");
    directory.rows.push_back(parse_row(rest.first(row_size), name_size, extra_size, archive));
    rest = rest.subspan(row_size);
  }
  if (directory.rows.size() != end.rows)
    throw archive_error(
        archive, "does not have as many members as its end record says",
        {{"expected", std::to_string(end.rows)}, {"got", std::to_string(directory.rows.size())}});
  return directory;
}

}  // namespace img::zip
