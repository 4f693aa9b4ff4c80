// SPDX-License-Identifier: Apache-2.0
// Checked access to the bytes of an ELF file, in the width and byte order of that file.
#pragma once

#include "validators/elf/elf_reader.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace img {

/// Every read is checked against the file; one that leaves it is an InputError.
class ElfView {
 public:
  /// `name` is what messages call the file. Reads the identification: InputError for anything that
  /// is not ELF of a known class and byte order.
  ElfView(ElfBytes bytes, std::string name);

  std::uint64_t size() const { return bytes_.size(); }
  bool is_64() const { return is_64_; }
  bool is_little_endian() const { return !swap_; }

  /// `what` completes "…: <what> lies outside of the file".
  ElfBytes range(std::uint64_t offset, std::uint64_t size, std::string_view what) const;
  std::uint16_t u16(std::uint64_t offset, std::string_view what) const;
  std::uint32_t u32(std::uint64_t offset, std::string_view what) const;
  std::uint64_t u64(std::uint64_t offset, std::string_view what) const;
  /// An Elf32_Word or Elf64_Xword, as the class of the file has it.
  std::uint64_t word(std::uint64_t offset, std::string_view what) const {
    return is_64_ ? u64(offset, what) : u32(offset, what);
  }
  /// The text at `offset` of a string table up to its NUL.
  std::string_view text(ElfBytes table, std::uint64_t offset, std::string_view what) const;

  [[noreturn]] void fail(const std::string& problem) const;

 private:
  template <typename Number>
  Number number(std::uint64_t offset, std::string_view what) const;

  ElfBytes bytes_;
  std::string name_;
  bool is_64_ = false;
  bool swap_ = false;
};

}  // namespace img
