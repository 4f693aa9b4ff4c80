// SPDX-License-Identifier: Apache-2.0
// Finds names of shared libraries among the constants of a file.
#include "validators/elf/library_names.h"

#include "validators/elf/fat_binary.h"

#include <algorithm>
#include <cstring>
#include <set>

#include <elf.h>

namespace img {
namespace {

constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kLongestName = 128;
constexpr std::string_view kInfix = ".so";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-' || c == '+';
}

/// The string around `at`, or nothing when it is not ended by a NUL nearby.
std::string_view string_around(std::string_view bytes, std::size_t at) {
  std::size_t begin = at, end = at;
  while (begin > 0 && is_name_character(bytes[begin - 1]) && at - begin < kLongestName) --begin;
  while (end < bytes.size() && is_name_character(bytes[end]) && end - at < kLongestName) ++end;
  const bool whole =
      (begin == 0 || bytes[begin - 1] == '\0') && end < bytes.size() && bytes[end] == '\0';
  return whole ? bytes.substr(begin, end - begin) : std::string_view();
}

void scan(std::string_view bytes, std::set<std::string>& names) {
  std::size_t from = 0;
  while (names.size() < kMostNames) {
    const void* found =
        memmem(bytes.data() + from, bytes.size() - from, kInfix.data(), kInfix.size());
    if (found == nullptr) return;
    const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::string_view text = string_around(bytes, at);
    if (is_library_name(text)) names.emplace(text);
    from = at + kInfix.size();
  }
}

/// Strings that the compiler put there, not tables of the linker nor GPU code.
bool holds_constants(const ElfSection& section) {
  constexpr std::uint64_t kNot = SHF_WRITE | SHF_EXECINSTR;
  return section.type == SHT_PROGBITS && (section.flags & SHF_ALLOC) != 0 &&
         (section.flags & kNot) == 0 && !is_fat_binary_section(section.name);
}

}  // namespace

bool is_library_name(std::string_view text) {
  if (!text.starts_with("lib") || text.size() > kLongestName) return false;
  const std::size_t infix = text.find(kInfix, 3);
  if (infix == std::string_view::npos || infix == 3) return false;
  const std::string_view version = text.substr(infix + kInfix.size());
  if (version.empty()) return true;
  // Each part of the version is a dot with digits.
  return version[0] == '.' && version.back() != '.' &&
         version.find("..") == std::string_view::npos &&
         version.find_first_not_of(".0123456789") == std::string_view::npos;
}

std::vector<std::string> find_library_names(const ElfView& view, const ElfLayout& layout) {
  std::set<std::string> names;
  std::uint64_t budget = 2 * view.size();  // sections of a hostile file may overlap without end
  const auto scan_bytes = [&](ElfBytes bytes) {
    if (bytes.size() > budget) return;
    budget -= bytes.size();
    scan({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, names);
  };
  for (const ElfSection& section : layout.sections) {
    if (holds_constants(section)) scan_bytes(section.bytes);
  }
  if (layout.sections.empty()) {
    for (const ElfSegment& segment : layout.segments) {
      if (segment.type != PT_LOAD || (segment.flags & (PF_W | PF_X)) != 0) continue;
      scan_bytes(view.range(segment.offset, segment.file_size, "a segment"));
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace img
