// SPDX-License-Identifier: Apache-2.0
// Writes ustar headers and PAX records.
#include "builder/layer/tar_writer.h"

#include "builder/base/error.h"
#include "builder/layer/layer_format.h"
#include "builder/layer/ustar.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace img {
namespace {

constexpr std::uint64_t kMaxOctal7 = 07777777;
constexpr std::uint64_t kMaxOctal11 = 077777777777;
constexpr std::size_t kMaxName = sizeof(UstarHeader::name);
constexpr std::size_t kMaxPrefix = sizeof(UstarHeader::prefix);

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

/// Octal digits that fill `field` but for the NUL at its end.
template <std::size_t size>
void put_octal(char (&field)[size], std::uint64_t value) {
  for (std::size_t i = size - 1; i-- > 0; value >>= 3) {
    field[i] = static_cast<char>('0' + (value & 7));
  }
}

template <std::size_t size>
void put_text(char (&field)[size], std::string_view text) {
  std::memcpy(field, text.data(), std::min(size, text.size()));
}

char type_flag(EntryType type) {
  static constexpr std::array<char, 7> kFlags = {'0', '5', '2', '1', '3', '4', '6'};
  return kFlags.at(static_cast<std::size_t>(type));
}

void put_checksum(UstarHeader& header) {
  std::memset(header.checksum, ' ', sizeof(header.checksum));
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : as_bytes(header_text(header))) sum += byte;
  // Six digits, NUL, space: the form that every writer uses.
  char digits[7] = {};
  put_octal(digits, sum);
  std::memcpy(header.checksum, digits, sizeof(digits));
}

UstarHeader new_header(char type) {
  UstarHeader header{};
  put_octal(header.mtime, kEntryMtime);
  put_octal(header.device_major, 0);
  put_octal(header.device_minor, 0);
  put_octal(header.uid, 0);
  put_octal(header.gid, 0);
  put_octal(header.size, 0);
  header.type = type;
  std::memcpy(header.magic, kUstarMagic.data(), sizeof(header.magic));
  std::memcpy(header.version, "00", 2);
  return header;
}

/// Whether the name went into name and prefix as it is.
bool put_name(UstarHeader& header, std::string_view name) {
  if (name.size() <= kMaxName) {
    put_text(header.name, name);
    return is_ascii(name);
  }
  // The first '/' from here on leaves a name that fits; the last byte of a folder's name is no
  // split.
  const std::size_t split = name.substr(0, name.size() - 1).find('/', name.size() - kMaxName - 1);
  if (split == std::string_view::npos || split > kMaxPrefix || !is_ascii(name)) {
    put_text(header.name, name);
    return false;
  }
  put_text(header.prefix, name.substr(0, split));
  put_text(header.name, name.substr(split + 1));
  return true;
}

class PaxBlock {
 public:
  void add(std::string_view key, std::string_view value) {
    // The length counts its own digits.
    const std::size_t body = key.size() + value.size() + 3;
    std::size_t length = body + 1;
    while (std::to_string(length).size() + body != length) {
      length = std::to_string(length).size() + body;
    }
    text_ += std::to_string(length) + " ";
    text_ += key;
    text_ += "=";
    text_ += value;
    text_ += "\n";
  }

  /// Header, records and padding; empty when there are no records.
  std::string blocks() const {
    if (text_.empty()) return {};
    UstarHeader header = new_header('x');
    put_text(header.name, "PaxHeader");
    put_octal(header.mode, 0644);
    put_octal(header.size, text_.size());
    put_checksum(header);
    std::string blocks(header_text(header));
    blocks += text_;
    blocks.append(tar_padding(text_.size()), '\0');
    return blocks;
  }

 private:
  std::string text_;
};

bool put_link(UstarHeader& header, const std::string& link) {
  put_text(header.link, link);
  return link.size() <= sizeof(header.link) && is_ascii(link);
}

template <std::size_t size>
bool put_number(char (&field)[size], std::uint64_t value, std::uint64_t most) {
  put_octal(field, value <= most ? value : 0);
  return value <= most;
}

}  // namespace

std::uint64_t tar_entry_size(const Entry& entry) {
  return entry.type == EntryType::file ? content_size(entry.content) : 0;
}

std::string tar_header(const EntryPath& path, const Entry& entry) {
  const std::string name = entry.type == EntryType::directory ? path.str() + "/" : path.str();
  const std::uint64_t size = tar_entry_size(entry);
  UstarHeader header = new_header(type_flag(entry.type));
  PaxBlock pax;
  if (!put_name(header, name)) pax.add("path", name);
  if (!put_link(header, entry.link)) pax.add("linkpath", entry.link);
  if (!put_number(header.size, size, kMaxOctal11)) pax.add("size", std::to_string(size));
  if (!put_number(header.uid, entry.uid, kMaxOctal7)) pax.add("uid", std::to_string(entry.uid));
  if (!put_number(header.gid, entry.gid, kMaxOctal7)) pax.add("gid", std::to_string(entry.gid));
  for (const auto& [key, value] : entry.xattrs) pax.add("SCHILY.xattr." + key, value);
  put_octal(header.mode, entry.mode);
  put_octal(header.device_major, entry.device_major);
  put_octal(header.device_minor, entry.device_minor);
  put_checksum(header);
  return pax.blocks() + std::string(header_text(header));
}

ByteView tar_zeros(std::size_t count) {
  static constexpr std::array<std::uint8_t, kTarEnd> kZeros{};
  if (count > kZeros.size()) throw InternalError("too many zeros asked for");
  return ByteView(kZeros).first(count);
}

}  // namespace img
