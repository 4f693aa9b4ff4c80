// SPDX-License-Identifier: Apache-2.0
// Header, program headers and section table of an ELF file.
#include "validators/elf/elf_layout.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>

#include <elf.h>

namespace img {
namespace {

constexpr std::uint64_t kMostSections = 200'000;

/// Where the fields of the two classes are (ELF specification, figures 1-3, 1-8, 2-1).
struct HeaderOffsets {
  std::uint64_t program_offset, section_offset;
  std::uint64_t program_entry_size, program_count, section_entry_size, section_count, name_section;
};
constexpr HeaderOffsets kHeader64{32, 40, 54, 56, 58, 60, 62};
constexpr HeaderOffsets kHeader32{28, 32, 42, 44, 46, 48, 50};

const HeaderOffsets& header_offsets(const ElfView& view) {
  return view.is_64() ? kHeader64 : kHeader32;
}

ElfSegment read_segment(const ElfView& view, std::uint64_t at) {
  const char* what = "a program header";
  ElfSegment segment;
  segment.type = view.u32(at, what);
  if (view.is_64()) {
    segment.flags = view.u32(at + 4, what);
    segment.offset = view.u64(at + 8, what);
    segment.address = view.u64(at + 16, what);
    segment.file_size = view.u64(at + 32, what);
    segment.memory_size = view.u64(at + 40, what);
    segment.alignment = view.u64(at + 48, what);
  } else {
    segment.offset = view.u32(at + 4, what);
    segment.address = view.u32(at + 8, what);
    segment.file_size = view.u32(at + 16, what);
    segment.memory_size = view.u32(at + 20, what);
    segment.flags = view.u32(at + 24, what);
    segment.alignment = view.u32(at + 28, what);
  }
  return segment;
}

std::vector<ElfSegment> read_segments(const ElfView& view) {
  const HeaderOffsets& header = header_offsets(view);
  const std::uint64_t count = view.u16(header.program_count, "the header");
  if (count == 0) return {};
  const std::uint64_t entry_size = view.u16(header.program_entry_size, "the header");
  if (entry_size != (view.is_64() ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr))) {
    view.fail("program headers have " + std::to_string(entry_size) + " bytes");
  }
  const std::uint64_t table = view.word(header.program_offset, "the header");
  view.range(table, count * entry_size, "the table of program headers");
  std::vector<ElfSegment> segments;
  for (std::uint64_t i = 0; i < count; ++i) {
    const ElfSegment segment = read_segment(view, table + i * entry_size);
    if (segment.type == PT_LOAD || segment.type == PT_DYNAMIC) {
      view.range(segment.offset, segment.file_size, "a segment");
    }
    segments.push_back(segment);
  }
  return segments;
}

ElfSection read_section(const ElfView& view, std::uint64_t at, std::uint32_t& name_offset) {
  const char* what = "a section header";
  ElfSection section;
  name_offset = view.u32(at, what);
  section.type = view.u32(at + 4, what);
  const std::uint64_t word = view.is_64() ? 8 : 4;
  section.flags = view.word(at + 8, what);
  section.address = view.word(at + 8 + word, what);
  section.offset = view.word(at + 8 + 2 * word, what);
  section.size = view.word(at + 8 + 3 * word, what);
  section.alignment = view.word(at + 8 + 4 * word + 8, what);
  if (section.type != SHT_NOBITS && section.type != SHT_NULL) {
    section.bytes = view.range(section.offset, section.size, "a section");
  }
  return section;
}

/// Counts that do not fit into the header are in the first section header.
void read_sections(const ElfView& view, ElfLayout& layout) {
  const HeaderOffsets& header = header_offsets(view);
  const std::uint64_t table = view.word(header.section_offset, "the header");
  if (table == 0) return;
  const std::uint64_t entry_size = view.u16(header.section_entry_size, "the header");
  if (entry_size != (view.is_64() ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr))) {
    view.fail("section headers have " + std::to_string(entry_size) + " bytes");
  }
  std::uint64_t count = view.u16(header.section_count, "the header");
  std::uint64_t name_index = view.u16(header.name_section, "the header");
  const std::uint64_t word = view.is_64() ? 8 : 4;
  if (count == 0) count = view.word(table + 8 + 3 * word, "a section header");
  if (name_index == SHN_XINDEX) name_index = view.u32(table + 8 + 4 * word, "a section header");
  if (count > kMostSections) {
    view.fail("it has more than " + with_commas(kMostSections) + " sections");
  }
  view.range(table, count * entry_size, "the section table");

  std::vector<std::uint32_t> names(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    layout.sections.push_back(read_section(view, table + i * entry_size, names[i]));
  }
  if (name_index == SHN_UNDEF) return;
  if (name_index >= count) view.fail("the table of section names is not there");
  const ElfBytes text = layout.sections[name_index].bytes;
  for (std::uint64_t i = 0; i < count; ++i) {
    layout.sections[i].name = view.text(text, names[i], "a section name");
  }
}

}  // namespace

const ElfSection* ElfLayout::find_section(std::string_view name) const {
  const auto found = std::find_if(sections.begin(), sections.end(),
                                  [&](const ElfSection& section) { return section.name == name; });
  return found == sections.end() ? nullptr : &*found;
}

std::optional<ElfBytes> ElfLayout::at_address(const ElfView& view, std::uint64_t address) const {
  for (const ElfSegment& segment : segments) {
    if (segment.type != PT_LOAD || address < segment.address) continue;
    const std::uint64_t within = address - segment.address;
    if (within >= segment.file_size) continue;
    return view.range(segment.offset + within, segment.file_size - within, "a segment");
  }
  return std::nullopt;
}

ElfLayout read_layout(const ElfView& view) {
  ElfLayout layout;
  layout.type = view.u16(16, "the header");
  layout.machine = view.u16(18, "the header");
  view.range(0, view.is_64() ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr), "the header");
  layout.segments = read_segments(view);
  try {
    read_sections(view, layout);
  } catch (const InputError& error) {
    layout.sections.clear();
    layout.section_problem = error.text().message;
  }
  return layout;
}

}  // namespace img
