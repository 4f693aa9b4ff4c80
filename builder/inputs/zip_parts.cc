// SPDX-License-Identifier: Apache-2.0
// Zip archives that are not here as files: the directory from the archive's end, and members out of
// a stream of its bytes.
#include "builder/inputs/zip_parts.h"

#include "builder/base/text.h"
#include "builder/inputs/zip_directory.h"
#include "builder/layer/inflate.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

namespace img {
namespace {

constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kPlainBuffer = 256 << 10;

/// Writes at one place of a file.
class PlacedSink final : public Sink {
 public:
  PlacedSink(int fd, std::uint64_t offset) : fd_(fd), offset_(offset) {}

  void write(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset_));
      const int error = errno;
      if (count < 0 && error == EINTR) continue;
      if (count < 0) throw SystemError(error, "cannot write a scratch file");
      offset_ += static_cast<std::uint64_t>(count);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
  }

 private:
  int fd_;
  std::uint64_t offset_;
};

}  // namespace

std::vector<ZipPart> read_zip_directory(std::uint64_t archive_size, const ReadZipBytes& read,
                                        const fs::path& scratch, const std::string& archive) {
  // A file with holes where nothing was read: so the strict reader of whole files reads this one.
  const TempDir folder(scratch, "zip-");
  const fs::path path = folder.path() / "end";
  const Fd fd = Fd::open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (::ftruncate(fd.get(), static_cast<off_t>(archive_size)) != 0) {
    const int error = errno;
    throw SystemError(error, "cannot write a scratch file");
  }
  const std::uint64_t end_size = std::min(archive_size, zip::kMostEndBytes);
  const std::uint64_t end_offset = archive_size - end_size;
  PlacedSink end(fd.get(), end_offset);
  read(end_offset, end_size, end);
  const auto file = InputFile::open(path);
  const std::uint64_t directory = zip::find_directory(*file, archive);
  if (directory < end_offset) {
    PlacedSink rest(fd.get(), directory);
    read(directory, end_offset - directory, rest);
  }
  std::vector<ZipPart> parts;
  for (const zip::CentralRow& row : zip::read_central_directory(*file, archive).rows) {
    parts.push_back({.name = row.name,
                     .method = row.method,
                     .packed_size = row.packed_size,
                     .size = row.size,
                     .crc32 = row.crc32,
                     .offset = row.local_offset});
  }
  std::sort(parts.begin(), parts.end(),
            [](const ZipPart& a, const ZipPart& b) { return a.offset < b.offset; });
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::uint64_t end_of_part = i + 1 < parts.size() ? parts[i + 1].offset : directory;
    if (end_of_part <= parts[i].offset || end_of_part - parts[i].offset < parts[i].packed_size) {
      throw zip::member_error(archive, parts[i].name, "overlaps what follows it");
    }
    parts[i].span = end_of_part - parts[i].offset;
  }
  return parts;
}

/// The member that is passing.
struct ZipStream::Member {
  ZipPart part;
  Sink* to = nullptr;
  std::uint64_t left = 0;  ///< packed bytes still to come
  DeflatedContent content;
  std::optional<CheckedInflater> inflater;
  std::vector<std::uint8_t> plain;
  std::uint32_t crc = 0;  ///< of a stored member

  void take(ByteView packed) {
    left -= packed.size();
    if (to == nullptr) return;
    if (!inflater) {
      crc = crc32_of(crc, packed);
      to->write(packed);
      return;
    }
    inflater->feed(packed);
    while (const std::size_t count = inflater->read(plain)) {
      to->write(ByteView(plain).first(count));
    }
  }
};

ZipStream::ZipStream(std::string archive, std::uint64_t offset, Choose choose)
    : archive_(std::make_shared<const std::string>(std::move(archive))),
      choose_(std::move(choose)),
      offset_(offset) {}

ZipStream::~ZipStream() = default;

void ZipStream::write(ByteView bytes) {
  while (!bytes.empty() && !at_directory_) {
    bytes = member_ ? take_data(bytes) : take_header(bytes);
  }
}

ByteView ZipStream::take_header(ByteView bytes) {
  const auto wanted = [this]() -> std::size_t {
    if (header_.size() < 4) return 4;
    if (header_.size() < kLocalSize) return kLocalSize;
    const ByteView header = as_bytes(header_);
    return kLocalSize + zip::u16(header, 26) + zip::u16(header, 28);
  };
  while (header_.size() < wanted()) {
    if (bytes.empty()) return bytes;
    const std::size_t count = std::min(bytes.size(), wanted() - header_.size());
    header_ += as_text(bytes.first(count));
    bytes = bytes.subspan(count);
    if (header_.size() != 4) continue;
    const std::uint32_t signature = zip::u32(as_bytes(header_), 0);
    if (signature == zip::kCentralHeader || signature == zip::kEndRecord) {
      at_directory_ = true;
      return {};
    }
    if (signature != zip::kLocalHeader) {
      throw zip::archive_error(*archive_, "has no member at byte " + std::to_string(offset_) +
                                              ", where one should begin");
    }
  }
  begin_member();
  return bytes;
}

void ZipStream::begin_member() {
  const ByteView header = as_bytes(header_);
  const std::size_t name_size = zip::u16(header, 26), extra_size = zip::u16(header, 28);
  member_ = std::make_unique<Member>();
  ZipPart& part = member_->part;
  part.name = as_text(header.subspan(kLocalSize, name_size));
  const std::uint16_t flags = zip::u16(header, 6);
  part.method = zip::u16(header, 8);
  part.crc32 = zip::u32(header, 14);
  part.packed_size = zip::u32(header, 18);
  part.size = zip::u32(header, 22);
  part.offset = offset_;
  if ((flags & zip::kFlagDescriptor) != 0) {
    throw zip::member_error(
        *archive_, part.name,
        "does not say its size before its data, so it cannot be read in passing");
  }
  if ((flags & (zip::kFlagEncrypted | zip::kFlagStrongEncryption | zip::kFlagMasked)) != 0) {
    throw zip::member_error(*archive_, part.name, "is encrypted");
  }
  if (part.method != 0 && part.method != 8) {
    throw zip::member_error(*archive_, part.name,
                            "uses compression method " + std::to_string(part.method) +
                                "; only stored (0) and deflate (8) are read");
  }
  const ByteView extra = header.subspan(kLocalSize + name_size, extra_size);
  if (part.size == zip::kIn64 || part.packed_size == zip::kIn64) {
    const auto wide = zip::find_extra(extra, 0x0001, *archive_, part.name);
    if (!wide || wide->size() < 16) {
      throw zip::member_error(*archive_, part.name, "has no zip64 value for a large size");
    }
    part.size = zip::u64(*wide, 0);
    part.packed_size = zip::u64(*wide, 8);
  }
  offset_ += header_.size();
  header_.clear();
  member_->to = choose_(part);
  member_->left = part.packed_size;
  if (member_->to != nullptr && part.method == 8) {
    member_->content = {.file = nullptr,
                        .offset = offset_,
                        .packed_size = part.packed_size,
                        .size = part.size,
                        .crc32 = part.crc32,
                        .file_name = archive_};
    member_->inflater.emplace(member_->content);
    member_->plain.resize(kPlainBuffer);
  }
  if (member_->left == 0) end_member();
}

ByteView ZipStream::take_data(ByteView bytes) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), member_->left));
  offset_ += count;
  member_->take(bytes.first(count));
  if (member_->left == 0) end_member();
  return bytes.subspan(count);
}

void ZipStream::end_member() {
  const Member& member = *member_;
  if (member.to != nullptr) {
    if (member.inflater) {
      member.inflater->check_end();
    } else if (member.part.size != member.part.packed_size || member.crc != member.part.crc32) {
      throw IntegrityError("member '" + printable(member.part.name) + "' of '" +
                           printable(*archive_) + "' is not what its header says");
    }
    member.to->finish();
  }
  member_.reset();
  ++members_;
}

}  // namespace img
