// SPDX-License-Identifier: Apache-2.0
// Reads which GPU architectures a file holds code for, from the headers of its fat binaries.
#include "validators/elf/fat_binary.h"

#include "builder/base/text.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include <elf.h>

namespace img {
namespace {

constexpr std::uint32_t kMagic = 0xBA55ED50;
constexpr std::uint64_t kHeaderSize = 16;
constexpr std::uint64_t kEntryHeaderSize = 64;
constexpr std::uint64_t kWrapperSize = 24;  // of one fat binary in .nvFatBinSegment
constexpr std::uint64_t kAlignment = 8;     // of registered fat binaries

constexpr std::uint16_t kPtx = 1, kMachine = 2, kIntermediate = 8;
constexpr std::uint64_t kArchSpecific = 0x100000, kUnknownFamily = 0x200000;
constexpr std::uint32_t kLargestArch = 999;

template <typename Number>
Number number_at(ElfBytes bytes, std::uint64_t at) {
  Number value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

/// What one fat binary holds.
struct Container {
  std::uint64_t size = 0;  ///< whole, from the magic to its end
  std::set<GpuArch> machine, ptx;
  std::uint64_t unknown_family = 0;  ///< entries with a flag whose meaning is not known
  std::set<std::uint16_t> unknown_kinds;
  std::uint64_t entries = 0;
  std::string problem;  ///< empty: read to its end
};

/// The size of all entries when a fat binary begins at `at` and ends within `bytes`.
std::optional<std::uint64_t> entries_size_at(ElfBytes bytes, std::uint64_t at) {
  if (bytes.size() - at < kHeaderSize) return std::nullopt;
  if (number_at<std::uint32_t>(bytes, at) != kMagic) return std::nullopt;
  if (number_at<std::uint16_t>(bytes, at + 4) != 1) return std::nullopt;
  if (number_at<std::uint16_t>(bytes, at + 6) != kHeaderSize) return std::nullopt;
  const auto size = number_at<std::uint64_t>(bytes, at + 8);
  if (size > bytes.size() - at - kHeaderSize) return std::nullopt;
  return size;
}

/// Takes one entry; its whole size, or nullopt when it does not fit the layout.
std::optional<std::uint64_t> take_entry(ElfBytes rest, Container& container) {
  if (rest.size() < kEntryHeaderSize) return std::nullopt;
  const auto kind = number_at<std::uint16_t>(rest, 0);
  const std::uint64_t header = number_at<std::uint32_t>(rest, 4);
  const auto payload = number_at<std::uint64_t>(rest, 8);
  const auto arch = number_at<std::uint32_t>(rest, 28);
  const auto flags = number_at<std::uint64_t>(rest, 40);
  if (number_at<std::uint16_t>(rest, 2) != 0x0101 || header < kEntryHeaderSize) return std::nullopt;
  if (header > rest.size() || payload > rest.size() - header) return std::nullopt;
  if (arch == 0 || arch > kLargestArch) return std::nullopt;
  const GpuArch name{.number = static_cast<int>(arch),
                     .suffix = (flags & kArchSpecific) != 0 ? 'a' : '\0'};
  if (kind == kMachine) container.machine.insert(name);
  if (kind == kPtx) container.ptx.insert(name);
  if (kind != kMachine && kind != kPtx && kind != kIntermediate)
    container.unknown_kinds.insert(kind);
  if ((flags & kUnknownFamily) != 0) ++container.unknown_family;
  return header + payload;
}

Container read_container(ElfBytes bytes, std::uint64_t at, std::uint64_t entries_size) {
  Container container{.size = kHeaderSize + entries_size};
  ElfBytes rest = bytes.subspan(at + kHeaderSize, entries_size);
  while (!rest.empty()) {
    ++container.entries;
    const auto size = take_entry(rest, container);
    if (!size) {
      container.problem = "has an entry that does not fit the known layout";
      return container;
    }
    rest = rest.subspan(*size);
  }
  return container;
}

/// The next place at or after `at` where the magic stands, at a multiple of `alignment` from the
/// start of the section; nullopt when there is none.
std::optional<std::uint64_t> find_magic(ElfBytes bytes, std::uint64_t at, std::uint64_t alignment) {
  while (at < bytes.size()) {
    const void* found = memmem(bytes.data() + at, bytes.size() - at, &kMagic, sizeof(kMagic));
    if (found == nullptr) return std::nullopt;
    const auto place =
        static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    if (place % alignment == 0) return place;
    at = place + 1;
  }
  return std::nullopt;
}

class FatBinaryReader {
 public:
  FatBinaryReader(const ElfView& view, const ElfLayout& layout)
      : layout_(layout), budget_(2 * view.size()) {}

  FatBinaries read() {
    if (!layout_.section_problem.empty()) {
      limit("sections that could hold GPU code are not known: the section table is damaged");
    }
    for (const ElfSection& section : layout_.sections) {
      if (section.bytes.empty() || !within_budget(section)) continue;
      if (is_fat_binary_section(section.name)) {
        read_registered(section);
      } else if (may_hold_others(section)) {
        read_others(section);
      }
    }
    compare_with_wrappers();
    tell_unknown();
    return std::move(found_);
  }

 private:
  /// Sections of a hostile file may overlap without end.
  bool within_budget(const ElfSection& section) {
    if (section.size <= budget_) {
      budget_ -= section.size;
      return true;
    }
    limit("section '" + printable(section.name) + "' is not searched: sections overlap");
    return false;
  }

  static bool may_hold_others(const ElfSection& section) {
    return section.type == SHT_PROGBITS && (section.flags & SHF_ALLOC) != 0 &&
           (section.flags & SHF_EXECINSTR) == 0;
  }

  /// One after the other; where the next does not begin at once it is searched for.
  void read_registered(const ElfSection& section) {
    std::uint64_t at = 0, unreadable = 0;
    while (const auto place = find_magic(section.bytes, at, kAlignment)) {
      const auto entries = entries_size_at(section.bytes, *place);
      if (!entries) {
        ++unreadable;
        at = *place + kAlignment;
        continue;
      }
      const Container container = read_container(section.bytes, *place, *entries);
      take(container);
      if (!container.problem.empty()) ++unreadable;
      ++found_.count;
      count(container.machine, found_.machine);
      count(container.ptx, found_.ptx);
      at = *place + container.size;
    }
    if (unreadable > 0) {
      limit(std::to_string(unreadable) + " fat binaries of section '" + printable(section.name) +
            "' do not fit the known layout");
    }
  }

  /// Other sections hold other bytes as well, so only what fits the layout to its end counts. It
  /// can stand anywhere: cuFFT's are not aligned.
  void read_others(const ElfSection& section) {
    // Containers that do not fit may overlap in a hostile file: each entry is paid for once or so.
    const std::uint64_t most_wasted = section.bytes.size() / kEntryHeaderSize + 1000;
    std::uint64_t at = 0, here = 0, wasted = 0;
    while (const auto place = find_magic(section.bytes, at, 1)) {
      at = *place + 1;
      const auto entries = entries_size_at(section.bytes, *place);
      if (!entries || *entries == 0) continue;
      const Container container = read_container(section.bytes, *place, *entries);
      if (!container.problem.empty()) {
        wasted += container.entries;
        if (wasted > most_wasted) break;
        continue;
      }
      take(container);
      ++here;
      count(container.machine, found_.other_machine);
      count(container.ptx, found_.other_ptx);
      at = *place + container.size;
    }
    if (wasted > most_wasted) {
      limit("section '" + printable(section.name) +
            "' is searched in part only: too much of it "
            "looks like fat binaries and is none");
    }
    if (here == 0) return;
    found_.other_count += here;
    found_.other_sections.emplace_back(section.name);
  }

  void take(const Container& container) {
    unknown_family_ += container.unknown_family;
    unknown_kinds_.insert(container.unknown_kinds.begin(), container.unknown_kinds.end());
  }

  static void count(const std::set<GpuArch>& archs, std::map<GpuArch, std::uint64_t>& into) {
    for (const GpuArch& arch : archs) ++into[arch];
  }

  /// The program registers each fat binary through one record of this section. There may be one
  /// more: the stub that nvcc's own link step adds.
  void compare_with_wrappers() {
    const ElfSection* wrappers = layout_.find_section(".nvFatBinSegment");
    if (wrappers == nullptr) return;
    const std::uint64_t registered = wrappers->size / kWrapperSize;
    if (registered <= found_.count) return;
    limit(with_commas(registered) + " fat binaries are registered, but " +
          with_commas(found_.count) + " were found");
  }

  void tell_unknown() {
    if (unknown_family_ > 0) {
      limit(with_commas(unknown_family_) +
            " entries have flag 0x200000, whose meaning is not known");
    }
    for (const std::uint16_t kind : unknown_kinds_) {
      limit("entries of the unknown kind " + std::to_string(kind) + " are not read");
    }
  }

  void limit(std::string text) {
    if (found_.limits.size() < kMostLimits) found_.limits.push_back(std::move(text));
  }

  static constexpr std::size_t kMostLimits = 50;
  const ElfLayout& layout_;
  std::uint64_t budget_;
  FatBinaries found_;
  std::uint64_t unknown_family_ = 0;
  std::set<std::uint16_t> unknown_kinds_;
};

}  // namespace

bool is_fat_binary_section(std::string_view name) {
  return name == ".nv_fatbin" || name == "__nv_relfatbin";
}

FatBinaries read_fat_binaries(const ElfView& view, const ElfLayout& layout) {
  return FatBinaryReader(view, layout).read();
}

}  // namespace img
