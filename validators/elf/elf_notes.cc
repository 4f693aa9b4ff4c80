// SPDX-License-Identifier: Apache-2.0
// ELF notes: the build id, and the conditions of a CUDA forward-compatibility driver.
#include "validators/elf/elf_notes.h"

#include "builder/base/text.h"

#include <cstring>
#include <functional>

#include <elf.h>

namespace img {
namespace {

constexpr std::string_view kCompatSection = ".note.cuda.fwd_compatibility";
constexpr std::string_view kCompatOwner = "NVIDIA Corporation";

using Visit = std::function<void(std::string_view owner, std::uint32_t type, ElfBytes description)>;

std::string_view without_nuls(ElfBytes bytes) {
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (text.ends_with('\0')) text.remove_suffix(1);
  return text;
}

/// Notes are for tools: the walk ends at the first that does not fit.
void each_note(ElfBytes bytes, std::uint64_t alignment, const Visit& visit) {
  if (alignment != 8) alignment = 4;
  const auto padded = [&](std::uint64_t size) {
    return (size + alignment - 1) / alignment * alignment;
  };
  while (bytes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    bytes = bytes.subspan(sizeof(header));
    const std::uint64_t name_size = padded(header.n_namesz);
    if (name_size > bytes.size() || header.n_descsz > bytes.size() - name_size) return;
    visit(without_nuls(bytes.first(header.n_namesz)), header.n_type,
          bytes.subspan(name_size, header.n_descsz));
    const std::uint64_t whole = name_size + padded(header.n_descsz);
    bytes = bytes.subspan(std::min<std::uint64_t>(whole, bytes.size()));
  }
}

}  // namespace

void read_notes(const ElfView& view, const ElfLayout& layout, ElfFacts& facts) {
  for (const ElfSegment& segment : layout.segments) {
    if (segment.type != PT_NOTE) continue;
    if (segment.offset > view.size() || segment.file_size > view.size() - segment.offset) continue;
    each_note(view.range(segment.offset, segment.file_size, "a note"), segment.alignment,
              [&](std::string_view owner, std::uint32_t type, ElfBytes description) {
                if (owner == "GNU" && type == NT_GNU_BUILD_ID) facts.build_id = to_hex(description);
              });
  }
  const ElfSection* compat = layout.find_section(kCompatSection);
  if (compat == nullptr || compat->type != SHT_NOTE) return;
  each_note(compat->bytes, compat->alignment,
            [&](std::string_view owner, std::uint32_t, ElfBytes description) {
              if (owner == kCompatOwner) facts.cuda_compat_note = without_nuls(description);
            });
}

}  // namespace img
