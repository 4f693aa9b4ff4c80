// SPDX-License-Identifier: Apache-2.0
// Checked access to the bytes of an ELF file, in the width and byte order of that file.
#include "validators/elf/elf_view.h"

#include "builder/base/error.h"

#include <algorithm>
#include <cstring>

#include <elf.h>

namespace img {
namespace {

/// Files of foreign machines may be big-endian; this program runs on little-endian ones.
template <typename Number>
Number reversed(Number value) {
  Number result = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    result = static_cast<Number>(result << 8 | (value >> (8 * i) & 0xff));
  }
  return result;
}

}  // namespace

bool looks_like_elf(ElfBytes first_bytes) {
  return first_bytes.size() >= SELFMAG && std::memcmp(first_bytes.data(), ELFMAG, SELFMAG) == 0;
}

ElfView::ElfView(ElfBytes bytes, std::string name) : bytes_(bytes), name_(std::move(name)) {
  if (!looks_like_elf(bytes_)) fail("it does not begin as an ELF file");
  const ElfBytes head = range(0, EI_NIDENT, "the identification");
  const std::uint8_t elf_class = head[EI_CLASS];
  const std::uint8_t order = head[EI_DATA];
  if (elf_class != ELFCLASS32 && elf_class != ELFCLASS64) {
    fail("class " + std::to_string(elf_class) + " is neither 32-bit nor 64-bit");
  }
  if (order != ELFDATA2LSB && order != ELFDATA2MSB) {
    fail("byte order " + std::to_string(order) + " is not known");
  }
  is_64_ = elf_class == ELFCLASS64;
  swap_ = order == ELFDATA2MSB;
}

void ElfView::fail(const std::string& problem) const {
  throw InputError("'" + name_ + "' is no readable ELF file: " + problem);
}

ElfBytes ElfView::range(std::uint64_t offset, std::uint64_t size, std::string_view what) const {
  if (offset > bytes_.size() || size > bytes_.size() - offset) {
    fail(std::string(what) + " lies outside of the file");
  }
  return bytes_.subspan(offset, size);
}

template <typename Number>
Number ElfView::number(std::uint64_t offset, std::string_view what) const {
  Number value;
  std::memcpy(&value, range(offset, sizeof(value), what).data(), sizeof(value));
  return swap_ ? reversed(value) : value;
}

std::uint16_t ElfView::u16(std::uint64_t offset, std::string_view what) const {
  return number<std::uint16_t>(offset, what);
}

std::uint32_t ElfView::u32(std::uint64_t offset, std::string_view what) const {
  return number<std::uint32_t>(offset, what);
}

std::uint64_t ElfView::u64(std::uint64_t offset, std::string_view what) const {
  return number<std::uint64_t>(offset, what);
}

std::string_view ElfView::text(ElfBytes table, std::uint64_t offset, std::string_view what) const {
  if (offset >= table.size()) fail(std::string(what) + " lies outside of its string table");
  const ElfBytes rest = table.subspan(offset);
  const void* end = std::memchr(rest.data(), 0, rest.size());
  if (end == nullptr) fail(std::string(what) + " does not end within its string table");
  const auto length = static_cast<std::size_t>(static_cast<const std::uint8_t*>(end) - rest.data());
  return {reinterpret_cast<const char*>(rest.data()), length};
}

}  // namespace img
