// SPDX-License-Identifier: Apache-2.0
// Cross-checks the local headers of a zip file with its central directory.
#include "builder/inputs/zip_reader.h"

#include "builder/base/text.h"
#include "builder/inputs/zip_directory.h"

#include <zlib.h>

#include <algorithm>
#include <numeric>

namespace img {
namespace {

using zip::CentralRow;
using zip::kIn64;
using zip::member_error;
using zip::u16;
using zip::u32;
using zip::u64;

constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kReadChunk = 1 << 20;
constexpr std::uint64_t kMaxDeflateRatio = 1032;  // 258 bytes from 2 bits

/// Where the data of a member lies, as its local header says.
struct LocalHeader {
  std::uint64_t data_offset = 0;
  bool has_descriptor = false;
};

std::string number(std::uint64_t value) { return std::to_string(value); }

/// "local header and central directory disagree about its size", with both values.
InputError disagreement(const std::string& archive, const CentralRow& row, const std::string& what,
                        std::string central, std::string local) {
  return member_error(archive, row.name, "is not the same in its local header: " + what,
                      {{"central", std::move(central)}, {"local", std::move(local)}});
}

/// A zip reader may print, compare or open a name; only one meaning is allowed for it.
void check_name(const CentralRow& row, const std::string& archive) {
  if (row.name.empty()) throw member_error(archive, row.name, "has no name");
  for (const char character : row.name) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f)
      throw member_error(archive, row.name, "has a control character in its name");
  }
  const bool ascii = std::all_of(row.name.begin(), row.name.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return;
  if (!(row.flags & zip::kFlagUtf8))
    throw member_error(archive, row.name, "has a name beyond ASCII without the UTF-8 flag");
  if (!is_valid_utf8(row.name))
    throw member_error(archive, row.name, "has a name that is not UTF-8");
}

void check_row(const CentralRow& row, const std::string& archive) {
  check_name(row, archive);
  if (row.flags & (zip::kFlagEncrypted | zip::kFlagStrongEncryption | zip::kFlagMasked))
    throw member_error(archive, row.name, "is encrypted");
  if (row.flags & zip::kFlagPatch) throw member_error(archive, row.name, "is a patch");
  if (row.method != 0 && row.method != 8)
    throw member_error(archive, row.name,
                       "uses compression method " + number(row.method) +
                           "; only stored (0) and deflate (8) are read");
  if (row.method == 0 && row.packed_size != row.size)
    throw member_error(archive, row.name, "is stored, but its two sizes differ",
                       {{"packed", number(row.packed_size)}, {"plain", number(row.size)}});
  if (row.method == 8 && row.size / kMaxDeflateRatio > row.packed_size)
    throw member_error(archive, row.name, "claims a size that its packed bytes cannot yield",
                       {{"packed", number(row.packed_size)}, {"plain", number(row.size)}});
  if (row.name.back() == '/' && (row.size != 0 || row.crc32 != 0))
    throw member_error(archive, row.name, "is a directory with content");
}

/// One size of the local header: from the zip64 field when the short field says so.
std::uint64_t local_size(std::uint32_t short_value, std::optional<ByteView> wide, std::size_t at) {
  if (short_value != kIn64 || !wide || wide->size() < at + 8) return short_value;
  return u64(*wide, at);
}

void check_local_sizes(ByteView header, std::optional<ByteView> wide, const CentralRow& row,
                       const std::string& archive) {
  const std::uint32_t crc = u32(header, 14);
  const std::uint64_t packed_size = local_size(u32(header, 18), wide, 8);
  const std::uint64_t size = local_size(u32(header, 22), wide, 0);
  // A writer that does not know them yet leaves zeros (in both forms) and adds a descriptor.
  const bool later = row.flags & zip::kFlagDescriptor;
  const auto unknown = [&](std::uint64_t value) { return later && (value == 0 || value == kIn64); };
  if (crc != row.crc32 && !(later && crc == 0))
    throw disagreement(archive, row, "CRC", number(row.crc32), number(crc));
  if (packed_size != row.packed_size && !unknown(packed_size))
    throw disagreement(archive, row, "packed size", number(row.packed_size), number(packed_size));
  if (size != row.size && !unknown(size))
    throw disagreement(archive, row, "size", number(row.size), number(size));
  if (!wide || wide->size() < 16) return;
  // Some readers take the zip64 values whatever the short fields say.
  const std::uint64_t wide_size = u64(*wide, 0), wide_packed = u64(*wide, 8);
  const auto fits = [&](std::uint64_t value, std::uint64_t central) {
    return value == central || (later && value == 0);
  };
  if (!fits(wide_size, row.size) || !fits(wide_packed, row.packed_size))
    throw disagreement(archive, row, "zip64 sizes",
                       number(row.size) + ", " + number(row.packed_size),
                       number(wide_size) + ", " + number(wide_packed));
}

LocalHeader read_local_header(const InputFile& file, const CentralRow& row, std::uint64_t end,
                              const std::string& archive) {
  const std::uint64_t room = end - row.local_offset;
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(room, kLocalSize + row.name.size() + 64));
  file.read_exactly_at(row.local_offset, bytes);
  if (u32(bytes, 0) != zip::kLocalHeader)
    throw member_error(archive, row.name, "has no local header where the central directory says");
  const std::size_t name_size = u16(bytes, 26), extra_size = u16(bytes, 28);
  const std::size_t whole = kLocalSize + name_size + extra_size;
  if (whole > room) throw member_error(archive, row.name, "overlaps what follows it");
  if (whole > bytes.size()) {
    bytes.resize(whole);
    file.read_exactly_at(row.local_offset, bytes);
  }
  const ByteView header = bytes;
  const std::string_view local_name = as_text(header.subspan(kLocalSize, name_size));
  if (local_name != row.name)
    throw disagreement(archive, row, "name", printable(row.name), printable(local_name));
  constexpr std::uint16_t kRelevant = zip::kFlagEncrypted | zip::kFlagDescriptor | zip::kFlagPatch |
                                      zip::kFlagStrongEncryption | zip::kFlagUtf8 |
                                      zip::kFlagMasked;
  if ((u16(header, 6) ^ row.flags) & kRelevant)
    throw disagreement(archive, row, "flags", number(row.flags), number(u16(header, 6)));
  if (u16(header, 8) != row.method)
    throw disagreement(archive, row, "method", number(row.method), number(u16(header, 8)));
  const ByteView extra = header.subspan(kLocalSize + name_size, extra_size);
  zip::require_same_unicode_name(extra, row.name, archive);
  check_local_sizes(header, zip::find_extra(extra, 0x0001, archive, row.name), row, archive);
  return {row.local_offset + whole, (row.flags & zip::kFlagDescriptor) != 0};
}

/// With or without signature, 32 or 64 bits wide: the space up to the next member says which.
void check_descriptor(const InputFile& file, const CentralRow& row, std::uint64_t offset,
                      std::uint64_t size, const std::string& archive) {
  const bool known_size = size == 12 || size == 16 || size == 20 || size == 24;
  if (!known_size)
    throw member_error(archive, row.name, "has no data descriptor right after its data");
  std::vector<std::uint8_t> bytes(size);
  file.read_exactly_at(offset, bytes);
  ByteView rest = bytes;
  bool ok = true;
  if (size == 16 || size == 24) {
    ok = u32(rest, 0) == zip::kDataDescriptor;
    rest = rest.subspan(4);
  }
  const bool wide = rest.size() == 20;
  ok = ok && u32(rest, 0) == row.crc32 && (wide ? u64(rest, 4) : u32(rest, 4)) == row.packed_size &&
       (wide ? u64(rest, 12) : u32(rest, 8)) == row.size;
  if (!ok)
    throw member_error(archive, row.name, "has a data descriptor that contradicts its headers");
}

ZipMember to_member(const CentralRow& row) {
  ZipMember member;
  member.name = row.name;
  member.is_directory = row.name.back() == '/';
  member.unix_mode = row.external_attributes >> 16;
  member.method = row.method;
  member.packed_size = row.packed_size;
  member.size = row.size;
  member.crc32 = row.crc32;
  return member;
}

/// Rows by place in the file.
std::vector<std::size_t> by_offset(const std::vector<CentralRow>& rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return rows[a].local_offset < rows[b].local_offset;
  });
  return order;
}

/// Walks the members in the order of the file and proves that they cover it up to the directory;
/// fills in their data offsets.
void check_cover(const InputFile& file, const zip::CentralDirectory& directory,
                 const std::string& archive, std::vector<ZipMember>& members) {
  const auto order = by_offset(directory.rows);
  std::uint64_t cursor = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const CentralRow& row = directory.rows[order[i]];
    const std::uint64_t end =
        i + 1 < order.size() ? directory.rows[order[i + 1]].local_offset : directory.offset;
    if (row.local_offset > directory.offset || end > directory.offset)
      throw member_error(archive, row.name, "lies outside the file's member area");
    if (row.local_offset > cursor)
      throw member_error(archive, row.name,
                         i == 0 ? "does not start the file: bytes come before it"
                                : "has unlisted bytes before it");
    if (end - row.local_offset < kLocalSize)
      throw member_error(archive, row.name, "overlaps what follows it");
    const LocalHeader local = read_local_header(file, row, end, archive);
    if (row.packed_size > end - std::min(end, local.data_offset))
      throw member_error(archive, row.name, "overlaps what follows it");
    const std::uint64_t data_end = local.data_offset + row.packed_size;
    if (local.has_descriptor) check_descriptor(file, row, data_end, end - data_end, archive);
    members[order[i]].data_offset = local.data_offset;
    cursor = local.has_descriptor ? end : data_end;
  }
  if (cursor != directory.offset)
    throw zip::archive_error(archive, "has unlisted bytes before its central directory");
}

}  // namespace

ZipFile ZipFile::open(std::shared_ptr<const InputFile> file, std::string name) {
  ZipFile result;
  result.file_ = std::move(file);
  result.name_ = std::make_shared<const std::string>(std::move(name));
  const auto directory = zip::read_central_directory(*result.file_, *result.name_);
  for (const CentralRow& row : directory.rows) {
    check_row(row, *result.name_);
    if (!result.index_.emplace(row.name, result.members_.size()).second)
      throw member_error(*result.name_, row.name, "is there twice");
    result.members_.push_back(to_member(row));
  }
  check_cover(*result.file_, directory, *result.name_, result.members_);
  return result;
}

const ZipMember* ZipFile::find(std::string_view member) const {
  const auto found = index_.find(member);
  return found == index_.end() ? nullptr : &members_[found->second];
}

Content ZipFile::content(const ZipMember& member) const {
  if (member.method == 0) return StoredContent{file_, member.data_offset, member.size};
  return DeflatedContent{.file = file_,
                         .offset = member.data_offset,
                         .packed_size = member.packed_size,
                         .size = member.size,
                         .crc32 = member.crc32,
                         .file_name = name_};
}

void ZipFile::read(const ZipMember& member, const std::function<void(ByteView)>& on_plain) const {
  std::uint64_t count = 0;
  uLong crc = ::crc32(0, nullptr, 0);
  try {
    const Content plain = content(member);
    const auto source = open_content(plain);
    std::vector<std::uint8_t> buffer(std::clamp<std::uint64_t>(member.size, 1, kReadChunk));
    while (const std::size_t got = source->read(buffer)) {
      const ByteView chunk = ByteView(buffer).first(got);
      // A deflate stream is checked by its source, a stored member here.
      if (member.method == 0) crc = crc32_z(crc, chunk.data(), chunk.size());
      count += got;
      on_plain(chunk);
    }
  } catch (const IntegrityError& error) {
    throw zip::unpacking_error(*name_, member.name, error);
  }
  if (member.method == 0 && (count != member.size || crc != member.crc32))
    throw member_error(*name_, member.name, "does not unpack to what its headers say",
                       {{"reason", "the CRC of its bytes differs"}});
}

std::string ZipFile::read(const ZipMember& member, std::uint64_t limit) const {
  if (member.size > limit)
    throw member_error(*name_, member.name, "has more than " + human_size(limit));
  std::string text;
  text.reserve(member.size);
  read(member, [&](ByteView chunk) { text.append(as_text(chunk)); });
  return text;
}

}  // namespace img
