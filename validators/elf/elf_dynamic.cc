// SPDX-License-Identifier: Apache-2.0
// The dynamic section: what a loader reads of a file before anything else.
#include "validators/elf/elf_dynamic.h"

#include "builder/base/text.h"

#include <algorithm>

#include <elf.h>

namespace img {
namespace {

constexpr std::size_t kMostEntries = 100'000;
constexpr std::size_t kLongestText = 64 << 10;

void read_entries(const ElfView& view, const ElfSegment& segment, ElfDynamic& dynamic) {
  const std::uint64_t word = view.is_64() ? 8 : 4;
  const std::uint64_t end = segment.offset + segment.file_size;
  for (std::uint64_t at = segment.offset; end - at >= 2 * word; at += 2 * word) {
    const std::uint64_t tag = view.word(at, "the dynamic section");
    if (tag == DT_NULL) return;
    if (dynamic.entries.size() == kMostEntries) {
      view.fail("the dynamic section has more than " + with_commas(kMostEntries) + " entries");
    }
    dynamic.entries.emplace_back(tag, view.word(at + word, "the dynamic section"));
  }
}

ElfBytes string_table(const ElfView& view, const ElfLayout& layout, const ElfDynamic& dynamic) {
  const auto address = dynamic.value(DT_STRTAB);
  if (!address) return {};
  const auto bytes = layout.at_address(view, *address);
  if (!bytes) view.fail("the dynamic string table lies outside of the file");
  const std::uint64_t size = dynamic.value(DT_STRSZ).value_or(bytes->size());
  if (size > bytes->size()) view.fail("the dynamic string table lies outside of the file");
  return bytes->first(size);
}

}  // namespace

std::optional<std::uint64_t> ElfDynamic::value(std::uint64_t tag) const {
  const auto found = std::find_if(entries.rbegin(), entries.rend(),
                                  [&](const auto& entry) { return entry.first == tag; });
  if (found == entries.rend()) return std::nullopt;
  return found->second;
}

std::optional<ElfDynamic> read_dynamic(const ElfView& view, const ElfLayout& layout) {
  const auto segment =
      std::find_if(layout.segments.begin(), layout.segments.end(),
                   [](const ElfSegment& candidate) { return candidate.type == PT_DYNAMIC; });
  if (segment == layout.segments.end() || segment->file_size == 0) return std::nullopt;
  ElfDynamic dynamic;
  read_entries(view, *segment, dynamic);
  dynamic.strings = string_table(view, layout, dynamic);
  for (const auto& [tag, value] : dynamic.entries) {
    const auto text = [&](std::string_view what) {
      const std::string_view found = view.text(dynamic.strings, value, what);
      if (found.size() > kLongestText) view.fail(std::string(what) + " is longer than any path");
      return std::string(found);
    };
    if (tag == DT_NEEDED) dynamic.needed.push_back(text("a name of DT_NEEDED"));
    if (tag == DT_SONAME) dynamic.soname = text("the name of DT_SONAME");
    if (tag == DT_RPATH) dynamic.rpath = text("the text of DT_RPATH");
    if (tag == DT_RUNPATH) dynamic.runpath = text("the text of DT_RUNPATH");
    if (tag == DT_FLAGS_1) dynamic.flags_1 = value;
  }
  return dynamic;
}

}  // namespace img
