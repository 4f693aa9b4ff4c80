// SPDX-License-Identifier: Apache-2.0
// A strict tar reader: what two readers could understand differently is refused.
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/layer/layer_reader.h"
#include "builder/layer/pax.h"
#include "builder/layer/tar_writer.h"
#include "builder/layer/ustar.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <unordered_map>
#include <vector>

namespace img {
namespace {

constexpr std::size_t kReadBuffer = 256 << 10;
constexpr std::uint64_t kMaxExtension = 1 << 20;  // PAX and GNU long name data of one entry
constexpr std::uint64_t kMaxUstarSize = 077777777777;
constexpr std::string_view kGnuMagic{"ustar  \0", 8};
constexpr std::string_view kXattrKey = "SCHILY.xattr.";

/// A file that can be skipped over without being read.
class SeekableFile final : public Source {
 public:
  explicit SeekableFile(const InputFile& file) : file_(file) {}
  std::size_t read(ByteSpan buffer) override {
    const std::size_t size = file_.read_at(offset_, buffer);
    offset_ += size;
    return size;
  }
  /// How many bytes were skipped: less than `size` only at the end.
  std::uint64_t skip(std::uint64_t size) {
    const std::uint64_t done = std::min(size, file_.size() - std::min(offset_, file_.size()));
    offset_ += done;
    return done;
  }

 private:
  const InputFile& file_;
  std::uint64_t offset_ = 0;
};

/// Reads a source in large pieces and counts what was used.
class BlockReader {
 public:
  BlockReader(Source& source, std::uint64_t limit)
      : source_(source), limit_(limit), buffer_(kReadBuffer) {}
  BlockReader(SeekableFile& file, std::uint64_t limit)
      : source_(file), file_(&file), limit_(limit), buffer_(kReadBuffer) {}

  std::uint64_t position() const { return position_; }

  /// Up to buffer.size() bytes; 0 only at the end.
  std::size_t read(ByteSpan buffer) {
    if (rest_.empty()) {
      if (buffer.size() >= buffer_.size()) return count(source_.read(buffer));
      check_interrupt();
      rest_ = ByteView(buffer_).first(source_.read(buffer_));
    }
    const std::size_t size = std::min(buffer.size(), rest_.size());
    std::copy_n(rest_.begin(), size, buffer.begin());
    rest_ = rest_.subspan(size);
    return count(size);
  }

  /// False at the end; a part of a block is an error.
  bool read_block(ByteSpan block) {
    std::size_t done = 0;
    while (done < block.size()) {
      const std::size_t size = read(block.subspan(done));
      if (size == 0) break;
      done += size;
    }
    if (done != 0 && done != block.size()) throw InputError("the archive ends within a block");
    return done != 0;
  }

  void skip(std::uint64_t size) {
    std::uint8_t spare[4096];
    if (file_ != nullptr && size > rest_.size()) {
      size -= rest_.size();
      count(rest_.size());
      rest_ = {};
      size -= count(file_->skip(size));
    }
    while (size > 0) {
      const std::size_t done = read(ByteSpan(spare).first(std::min<std::uint64_t>(size, 4096)));
      if (done == 0) throw InputError("the archive ends within it");
      size -= done;
    }
  }

 private:
  std::size_t count(std::size_t size) {
    position_ += size;
    if (position_ > limit_) {
      throw InputError("the archive has more than " + with_commas(limit_) + " bytes");
    }
    return size;
  }

  Source& source_;
  SeekableFile* file_ = nullptr;
  std::uint64_t limit_;
  std::vector<std::uint8_t> buffer_;
  ByteView rest_;
  std::uint64_t position_ = 0;
};

/// The content of one entry.
class BodySource final : public Source {
 public:
  BodySource(BlockReader& reader, std::uint64_t size, std::string what)
      : reader_(reader), left_(size), what_(std::move(what)) {}
  std::size_t read(ByteSpan buffer) override {
    if (left_ == 0) return 0;
    const std::size_t size =
        reader_.read(buffer.first(std::min<std::uint64_t>(buffer.size(), left_)));
    if (size == 0) throw InputError("the archive ends within " + what_);
    left_ -= size;
    return size;
  }
  std::uint64_t left() const { return left_; }

 private:
  BlockReader& reader_;
  std::uint64_t left_;
  std::string what_;
};

template <std::size_t size>
std::string_view field_text(const char (&field)[size]) {
  return {field, strnlen(field, size)};
}

[[noreturn]] void bad_number(std::string_view what) {
  throw InputError("a header has no valid number as " + std::string(what));
}

/// GNU base-256: the first byte is 0x80, the rest is a big-endian number.
std::uint64_t parse_base256(std::string_view field, std::string_view what) {
  if (static_cast<unsigned char>(field[0]) != 0x80) bad_number(what);  // negative or too large
  std::uint64_t value = 0;
  for (const char c : field.substr(1)) {
    if (value >> 55 != 0) bad_number(what);
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

/// Octal digits between spaces and NULs; a field without digits is 0, as old writers leave it.
template <std::size_t size>
std::uint64_t parse_number(const char (&raw)[size], std::string_view what) {
  std::string_view field(raw, size);
  if ((field[0] & 0x80) != 0) return parse_base256(field, what);
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (; digits < field.size() && field[digits] >= '0' && field[digits] <= '7'; ++digits) {
    value = value << 3 | static_cast<unsigned>(field[digits] - '0');  // 12 digits are 36 bits
  }
  const std::string_view rest = field.substr(digits);
  if (rest.find_first_not_of(std::string_view(" \0", 2)) != std::string_view::npos) {
    bad_number(what);
  }
  return value;
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

void check_checksum(const UstarHeader& header) {
  UstarHeader copy = header;
  std::memset(copy.checksum, ' ', sizeof(copy.checksum));
  std::uint64_t sum = 0;
  for (const std::uint8_t byte : as_bytes(header_text(copy))) sum += byte;
  if (parse_number(header.checksum, "checksum") != sum) {
    throw InputError("a header has a wrong checksum");
  }
}

bool is_gnu(const UstarHeader& header) {
  return header_text(header).substr(offsetof(UstarHeader, magic), kGnuMagic.size()) == kGnuMagic;
}

void check_magic(const UstarHeader& header) {
  const std::string_view magic(header.magic, sizeof(header.magic));
  if (magic != kUstarMagic && !is_gnu(header)) throw InputError("a header is no ustar header");
}

/// What PAX and GNU headers say about the entry that follows them.
struct Extensions {
  std::optional<PaxRecords> pax;
  std::optional<std::string> long_name;
  std::optional<std::string> long_link;

  bool empty() const { return !pax && !long_name && !long_link; }
  std::optional<std::string_view> find(std::string_view key) const {
    if (!pax) return std::nullopt;
    const auto found = pax->find(key);
    if (found == pax->end()) return std::nullopt;
    return found->second;
  }
};

std::string header_name(const UstarHeader& header) {
  const std::string name(field_text(header.name));
  const std::string prefix(field_text(header.prefix));
  // In GNU headers the place of the prefix holds other things.
  return is_gnu(header) || prefix.empty() ? name : prefix + "/" + name;
}

std::string entry_name(const UstarHeader& header, const Extensions& extensions) {
  if (const auto path = extensions.find("path")) return std::string(*path);
  if (extensions.long_name) return *extensions.long_name;
  return header_name(header);
}

std::string entry_link(const UstarHeader& header, const Extensions& extensions) {
  if (const auto link = extensions.find("linkpath")) return std::string(*link);
  if (extensions.long_link) return *extensions.long_link;
  return std::string(field_text(header.link));
}

std::uint64_t entry_size(const UstarHeader& header, const Extensions& extensions) {
  const std::uint64_t stated = parse_number(header.size, "size");
  const auto text = extensions.find("size");
  if (!text) return stated;
  const auto size = parse_decimal(*text);
  if (!size) throw InputError("has a PAX size that is no number");
  const bool fits = *size <= kMaxUstarSize;
  if (fits ? stated != *size : stated != 0 && stated != kMaxUstarSize && stated != *size) {
    throw InputError(
        ErrorText{.message = "has two different sizes",
                  .details = {{"PAX", with_commas(*size)}, {"ustar", with_commas(stated)}}});
  }
  return *size;
}

std::uint32_t entry_id(std::uint64_t stated, std::optional<std::string_view> pax,
                       std::string_view what) {
  const auto id = pax ? parse_decimal(*pax) : stated;
  if (!id || *id > UINT32_MAX) throw InputError("has no valid " + std::string(what));
  return static_cast<std::uint32_t>(*id);
}

/// "[-]seconds[.fraction]"; the fraction is dropped towards the past.
std::int64_t parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const std::size_t dot = text.find('.');
  const auto seconds = parse_decimal(text.substr(0, dot));
  const std::string_view fraction =
      dot == std::string_view::npos ? std::string_view("0") : text.substr(dot + 1);
  const bool digits = fraction.find_first_not_of("0123456789") == std::string_view::npos;
  if (!seconds || !digits || *seconds > INT64_MAX / 2) throw InputError("has no valid PAX mtime");
  const auto value = static_cast<std::int64_t>(*seconds);
  if (!negative) return value;
  return fraction.find_first_not_of('0') == std::string_view::npos ? -value : -value - 1;
}

std::optional<EntryType> entry_type(char flag) {
  switch (flag) {
    case '0':
    case '\0':
      return EntryType::file;
    case '1':
      return EntryType::hardlink;
    case '2':
      return EntryType::symlink;
    case '3':
      return EntryType::character_device;
    case '4':
      return EntryType::block_device;
    case '5':
      return EntryType::directory;
    case '6':
      return EntryType::fifo;
    default:
      return std::nullopt;
  }
}

/// The paths so far, folders that only their children name included.
class SeenPaths {
 public:
  void add(const EntryPath& path, EntryType type) {
    add_parents(path);
    const auto [found, added] = seen_.try_emplace(path.str(), Seen{type, true});
    if (added) return;
    if (found->second.is_explicit) throw InputError("comes twice");
    if (type != EntryType::directory)
      throw InputError("is no folder, but earlier entries lie below it");
    found->second.is_explicit = true;
  }

  bool is_file(const EntryPath& path) const {
    const auto found = seen_.find(path.str());
    return found != seen_.end() &&
           (found->second.type == EntryType::file || found->second.type == EntryType::hardlink);
  }

 private:
  struct Seen {
    EntryType type;
    bool is_explicit;
  };

  void add_parents(const EntryPath& path) {
    for (auto folder = path.parent(); folder; folder = folder->parent()) {
      const auto [found, added] =
          seen_.try_emplace(folder->str(), Seen{EntryType::directory, false});
      if (found->second.type != EntryType::directory) {
        throw InputError("lies below '" + folder->str() + "', which is no folder but a " +
                         std::string(to_string(found->second.type)));
      }
      if (!added) return;  // its parents were looked at with it
    }
  }

  std::unordered_map<std::string, Seen> seen_;
};

class TarReader {
 public:
  template <typename From>
  TarReader(From& plain, const std::function<void(const TarEntry&, Source&)>& visit,
            const TarReadLimits& limits)
      : reader_(plain, limits.bytes), visit_(visit), limits_(limits) {}

  std::uint64_t run() {
    UstarHeader header;
    while (next_header(header)) {
      check_checksum(header);
      check_magic(header);
      if (!take_extension(header)) take_entry(header);
    }
    if (!extensions_.empty()) throw InputError("the archive ends after an extended header");
    check_end();
    return reader_.position();
  }

 private:
  static ByteSpan bytes_of(UstarHeader& header) {
    return {reinterpret_cast<std::uint8_t*>(&header), sizeof(header)};
  }

  /// False at the end mark.
  bool next_header(UstarHeader& header) {
    if (!reader_.read_block(bytes_of(header))) throw InputError("the archive has no end mark");
    if (!is_zero(bytes_of(header))) return true;
    if (!reader_.read_block(bytes_of(header)) || !is_zero(bytes_of(header))) {
      throw InputError("the archive has only half an end mark");
    }
    return false;
  }

  void check_end() {
    std::vector<std::uint8_t> rest(kReadBuffer);
    while (const std::size_t count = reader_.read(rest)) {
      if (!is_zero(ByteView(rest).first(count))) {
        throw InputError("the archive is followed by bytes that are not zero");
      }
    }
  }

  std::string extension_data(const UstarHeader& header) {
    const std::uint64_t size = parse_number(header.size, "size");
    if (size > kMaxExtension) {
      throw InputError("an extended header has more than " + with_commas(kMaxExtension) + " bytes");
    }
    std::string text(size, '\0');
    BodySource body(reader_, size, "an extended header");
    read_full(body, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    reader_.skip(tar_padding(size));
    return text;
  }

  template <typename T>
  static void set_once(std::optional<T>& place, T value) {
    if (place) throw InputError("an entry has two extended headers of one kind");
    place = std::move(value);
  }

  /// GNU long names end with a NUL.
  static std::string without_nul(std::string text) {
    if (text.ends_with('\0')) text.pop_back();
    return text;
  }

  bool take_extension(const UstarHeader& header) {
    switch (header.type) {
      case 'x':
        set_once(extensions_.pax, parse_pax(extension_data(header)));
        break;
      case 'g':
        check_global(parse_pax(extension_data(header)));
        return true;
      case 'L':
        set_once(extensions_.long_name, without_nul(extension_data(header)));
        break;
      case 'K':
        set_once(extensions_.long_link, without_nul(extension_data(header)));
        break;
      default:
        return false;
    }
    if (extensions_.pax && (extensions_.long_name || extensions_.long_link)) {
      throw InputError("an entry has both PAX and GNU extended headers");
    }
    return true;
  }

  static void check_global(const PaxRecords& records) {
    for (const auto& [key, value] : records) {
      if (key != "comment") throw InputError("a global PAX header sets '" + key + "'");
    }
  }

  void take_entry(const UstarHeader& header) {
    const Extensions extensions = std::exchange(extensions_, {});
    if (++entries_ > limits_.entries) {
      throw InputError("the archive has more than " + with_commas(limits_.entries) + " entries");
    }
    const std::string name = entry_name(header, extensions);
    try {
      take_named_entry(header, name, extensions);
    } catch (InputError& error) {
      if (in_visitor_) throw;
      ErrorText text = error.text();
      text.message = "entry '" + name.substr(0, 4096) + "': " + text.message;
      throw InputError(std::move(text));
    }
  }

  void take_named_entry(const UstarHeader& header, const std::string& name,
                        const Extensions& extensions) {
    const std::optional<EntryType> type = entry_type(header.type);
    if (!type) {
      throw InputError(std::string("is of a type that layers do not have: '") + header.type + "'");
    }
    refuse_sparse(extensions);
    const std::optional<EntryPath> path = EntryPath::parse_tar_name(name);
    const std::uint64_t size = entry_size(header, extensions);
    if (*type != EntryType::file && size != 0) {
      throw InputError("is a " + std::string(to_string(*type)) + " with data");
    }
    if (name.ends_with('/') && *type != EntryType::directory) {
      throw InputError("is no folder, but its name ends with '/'");
    }
    if (!path) {
      if (*type != EntryType::directory)
        throw InputError("puts something else in place of the root");
      return;
    }
    TarEntry entry{.path = *path};
    entry.size = size;
    entry.entry = attributes(header, *type, extensions);
    entry.mtime = entry_mtime(header, extensions);
    check_links(entry);
    mark_whiteout(entry);
    seen_.add(*path, *type);
    entry.data_offset = reader_.position();
    give_out(entry);
  }

  void give_out(const TarEntry& entry) {
    BodySource body(reader_, entry.size, "entry '" + entry.path.str() + "'");
    in_visitor_ = true;
    visit_(entry, body);
    in_visitor_ = false;
    reader_.skip(body.left());
    reader_.skip(tar_padding(entry.size));
  }

  static void refuse_sparse(const Extensions& extensions) {
    if (!extensions.pax) return;
    for (const auto& [key, value] : *extensions.pax) {
      if (key.starts_with("GNU.sparse.")) throw InputError("is a sparse file");
    }
  }

  Entry attributes(const UstarHeader& header, EntryType type, const Extensions& extensions) const {
    Entry entry{.type = type};
    entry.mode = static_cast<std::uint32_t>(parse_number(header.mode, "mode") & 07777);
    entry.uid = entry_id(parse_number(header.uid, "uid"), extensions.find("uid"), "uid");
    entry.gid = entry_id(parse_number(header.gid, "gid"), extensions.find("gid"), "gid");
    if (type == EntryType::character_device || type == EntryType::block_device) {
      entry.device_major = entry_id(parse_number(header.device_major, "device"), {}, "device");
      entry.device_minor = entry_id(parse_number(header.device_minor, "device"), {}, "device");
    }
    if (type == EntryType::symlink || type == EntryType::hardlink) {
      entry.link = entry_link(header, extensions);
    }
    if (extensions.pax) {
      for (const auto& [key, value] : *extensions.pax) {
        if (key.starts_with(kXattrKey)) entry.xattrs.emplace(key.substr(kXattrKey.size()), value);
      }
    }
    return entry;
  }

  static std::int64_t entry_mtime(const UstarHeader& header, const Extensions& extensions) {
    if (const auto text = extensions.find("mtime")) return parse_pax_time(*text);
    return static_cast<std::int64_t>(parse_number(header.mtime, "mtime"));
  }

  void check_links(TarEntry& entry) const {
    std::string& link = entry.entry.link;
    if (entry.entry.type == EntryType::symlink &&
        (link.empty() || link.find('\0') != std::string::npos)) {
      throw InputError("is a symlink without a valid target");
    }
    if (entry.entry.type != EntryType::hardlink) return;
    const std::optional<EntryPath> target = EntryPath::parse_tar_name(link);
    if (!target || !seen_.is_file(*target)) {
      throw InputError("is a hard link to '" + link + "', which is no earlier file of the archive");
    }
    link = target->str();
  }

  static void mark_whiteout(TarEntry& entry) {
    const std::string_view name = entry.path.name();
    if (const auto folder = entry.path.parent();
        folder &&
        (folder->str().starts_with(".wh.") || folder->str().find("/.wh.") != std::string::npos)) {
      throw InputError("lies below a whiteout");
    }
    if (!name.starts_with(".wh.")) return;
    const std::string_view removed = name.substr(4);
    entry.is_opaque_marker = removed == ".wh..opq";
    entry.is_whiteout = !entry.is_opaque_marker;
    const bool names_nothing = removed.empty() || removed == "." || removed == "..";
    if (names_nothing || (entry.is_whiteout && removed.starts_with(".wh."))) {
      throw InputError("is a whiteout that names nothing");
    }
    if (entry.entry.type != EntryType::file || entry.size != 0) {
      throw InputError("is a whiteout that is no empty file");
    }
  }

  BlockReader reader_;
  const std::function<void(const TarEntry&, Source&)>& visit_;
  TarReadLimits limits_;
  Extensions extensions_;
  SeenPaths seen_;
  std::uint64_t entries_ = 0;
  bool in_visitor_ = false;
};

}  // namespace

std::uint64_t read_tar(Source& plain, const std::string& name,
                       const std::function<void(const TarEntry&, Source& body)>& visit,
                       const TarReadLimits& limits) {
  return with_context("reading '" + name + "'",
                      [&] { return TarReader(plain, visit, limits).run(); });
}

std::uint64_t read_tar(const InputFile& file, const std::string& name,
                       const std::function<void(const TarEntry&, Source& body)>& visit,
                       const TarReadLimits& limits) {
  SeekableFile plain(file);
  return with_context("reading '" + name + "'",
                      [&] { return TarReader(plain, visit, limits).run(); });
}

}  // namespace img
