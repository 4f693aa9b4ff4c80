// SPDX-License-Identifier: Apache-2.0
// Reads facts from an ELF file that may be hostile: every offset is checked, nothing is trusted.
#include "validators/elf/elf_reader.h"

#include "validators/elf/elf_dynamic.h"
#include "validators/elf/elf_notes.h"
#include "validators/elf/elf_symbols.h"
#include "validators/elf/fat_binary.h"
#include "validators/elf/library_names.h"

#include <elf.h>

namespace img {
namespace {

std::string interpreter_of(const ElfView& view, const ElfLayout& layout) {
  for (const ElfSegment& segment : layout.segments) {
    if (segment.type != PT_INTERP) continue;
    const ElfBytes bytes = view.range(segment.offset, segment.file_size, "the interpreter's name");
    return std::string(view.text(bytes, 0, "the interpreter's name"));
  }
  return {};
}

}  // namespace

ElfFacts read_elf(ElfBytes bytes, const std::string& name) {
  const ElfView view(bytes, name);
  const ElfLayout layout = read_layout(view);
  ElfFacts facts;
  facts.machine = layout.machine;
  facts.type = layout.type;
  facts.is_64 = view.is_64();
  facts.interpreter = interpreter_of(view, layout);
  const auto dynamic = read_dynamic(view, layout);
  if (dynamic) {
    facts.has_dynamic = true;
    facts.soname = dynamic->soname;
    facts.rpath = dynamic->rpath;
    facts.runpath = dynamic->runpath;
    facts.needed = dynamic->needed;
    facts.no_default_lib = (dynamic->flags_1 & DF_1_NODEFLIB) != 0;
  }
  if (!view.is_64() || !view.is_little_endian()) return facts;
  if (dynamic) read_symbols(view, layout, *dynamic, facts);
  read_notes(view, layout, facts);
  facts.library_names = find_library_names(view, layout);
  facts.gpu_code = read_fat_binaries(view, layout);
  return facts;
}

}  // namespace img
