// SPDX-License-Identifier: Apache-2.0
// Which architectures are read from fat binaries, and what is said of bytes that are none.
#include "tests/support/compiled_library.h"
#include "validators/elf/elf_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace img {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint64_t kArchSpecific = 0x100000, kZstd = 0x8000;

template <typename Number>
std::string bytes_of(Number value) {
  std::string text(sizeof(value), '\0');
  std::memcpy(text.data(), &value, sizeof(value));
  return text;
}

struct FatEntry {
  std::uint16_t kind = 2;
  std::uint32_t arch = 0;
  std::uint64_t flags = 0;
  std::string payload = std::string(24, '\x5a');
  std::uint32_t header_size = 64;
};

std::string entry(const FatEntry& what) {
  std::string text = bytes_of(what.kind) + bytes_of<std::uint16_t>(0x0101) +
                     bytes_of(what.header_size) + bytes_of<std::uint64_t>(what.payload.size()) +
                     std::string(8, '\0') + bytes_of<std::uint16_t>(7) +
                     bytes_of<std::uint16_t>(1) + bytes_of(what.arch) + std::string(8, '\0') +
                     bytes_of(what.flags) + std::string(16, '\0');
  text.resize(what.header_size);
  return text + what.payload;
}

std::string fat_binary(const std::string& entries) {
  return bytes_of<std::uint32_t>(0xBA55ED50) + bytes_of<std::uint16_t>(1) +
         bytes_of<std::uint16_t>(16) + bytes_of<std::uint64_t>(entries.size()) + entries;
}

class FatBinaryTest : public ::testing::Test {
 protected:
  /// A library with these bytes as sections.
  FatBinaries read(const std::vector<std::pair<std::string, std::string>>& sections) {
    std::string text;
    for (const auto& [name, bytes] : sections) {
      const fs::path file = folder_.path() / ("section" + std::to_string(++count_));
      write_file(file, bytes);
      text += ".section " + name + "\n.incbin \"" + file.string() + "\"\n";
    }
    const fs::path library = folder_.path() / ("lib" + std::to_string(++count_));
    testing::compile_library({.text = text, .language = "assembler", .flags = {"-nostdlib"}},
                             library);
    return read_elf(as_bytes(read_file(library)), "/lib/x.so").gpu_code;
  }

  TempDir folder_{fs::temp_directory_path(), "fat-binary-test-"};
  int count_ = 0;
};

constexpr const char* kRegistered = ".nv_fatbin,\"a\"";
constexpr const char* kRelocatable = "__nv_relfatbin,\"a\"";
constexpr const char* kWrappers = ".nvFatBinSegment,\"aw\"";

TEST_F(FatBinaryTest, CountsFatBinariesByArchitecture) {
  const std::string first = fat_binary(entry({.arch = 80}) + entry({.arch = 80}) +
                                       entry({.arch = 90, .flags = kArchSpecific | kZstd}) +
                                       entry({.kind = 1, .arch = 120, .header_size = 112}));
  const std::string second = fat_binary(entry({.arch = 80}) + entry({.kind = 8, .arch = 50}));
  const FatBinaries found = read(
      {{kRegistered, first + second}, {kRelocatable, second}, {kWrappers, std::string(72, 'w')}});
  EXPECT_EQ(found.count, 3u);
  EXPECT_THAT(found.machine, ElementsAre(Pair(GpuArch{80}, 3), Pair(GpuArch{90, 'a'}, 1)));
  EXPECT_THAT(found.ptx, ElementsAre(Pair(GpuArch{120}, 1)));
  EXPECT_EQ(found.other_count, 0u);
  EXPECT_THAT(found.limits, IsEmpty());
}

TEST_F(FatBinaryTest, CommonArchitecturesAreThoseOfNineInTen) {
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += fat_binary(entry({.arch = 80}) + (i < 18 ? entry({.arch = 90}) : "") +
                      (i < 17 ? entry({.arch = 100}) : ""));
  }
  EXPECT_THAT(read({{kRegistered, all}}).common_machine(), ElementsAre(GpuArch{80}, GpuArch{90}));
}

TEST_F(FatBinaryTest, FindsFatBinariesBehindPadding) {
  const std::string one = fat_binary(entry({.arch = 80}));
  const FatBinaries found = read({{kRegistered, one + std::string(40, '\0') + one}});
  EXPECT_EQ(found.count, 2u);
  EXPECT_THAT(found.limits, IsEmpty());
}

TEST_F(FatBinaryTest, CountsWhatOtherSectionsHoldApart) {
  const std::string one = fat_binary(entry({.arch = 90}));
  const FatBinaries found = read({{kRegistered, fat_binary(entry({.arch = 52}))},
                                  {".ldata,\"aw\"", "abc" + one + "x" + one},
                                  {".cask_resource,\"a\"", one},
                                  {".comment_like,\"\"", one}});
  EXPECT_EQ(found.count, 1u);
  EXPECT_THAT(found.machine, ElementsAre(Pair(GpuArch{52}, 1)));
  EXPECT_EQ(found.other_count, 3u);
  EXPECT_THAT(found.other_machine, ElementsAre(Pair(GpuArch{90}, 3)));
  EXPECT_THAT(found.other_sections, ::testing::UnorderedElementsAre(".ldata", ".cask_resource"));
}

TEST_F(FatBinaryTest, SaysWhatItCannotRead) {
  std::string broken = entry({.arch = 80});
  broken[2] = 9;  // where 0x0101 stands
  const FatBinaries found = read(
      {{kRegistered, fat_binary(entry({.arch = 70}) + broken) + fat_binary(entry({.arch = 80}))},
       {kWrappers, std::string(24 * 5, 'w')}});
  EXPECT_THAT(found.machine, ElementsAre(Pair(GpuArch{70}, 1), Pair(GpuArch{80}, 1)));
  EXPECT_THAT(found.limits,
              ElementsAre("1 fat binaries of section '.nv_fatbin' do not fit the known layout",
                          "5 fat binaries are registered, but 2 were found"));
}

TEST_F(FatBinaryTest, SaysWhatItDoesNotKnow) {
  const FatBinaries found = read({{kRegistered, fat_binary(entry({.arch = 100, .flags = 0x200000}) +
                                                           entry({.kind = 32, .arch = 100}))}});
  EXPECT_THAT(found.limits, ElementsAre("1 entries have flag 0x200000, whose meaning is not known",
                                        "entries of the unknown kind 32 are not read"));
}

TEST_F(FatBinaryTest, TakesNoOtherBytesForFatBinaries) {
  const std::string magic = bytes_of<std::uint32_t>(0xBA55ED50);
  const std::string too_long = magic + bytes_of<std::uint16_t>(1) + bytes_of<std::uint16_t>(16) +
                               bytes_of<std::uint64_t>(1ull << 62);
  const FatBinaries found =
      read({{".rodata,\"a\"", "text" + magic + "text" + too_long + fat_binary("")}});
  EXPECT_EQ(found.count + found.other_count, 0u);
  EXPECT_THAT(found.limits, IsEmpty());
}

/// Each of many containers claims the rest of the section and breaks off at its end: without a
/// bound the search would take hours.
TEST_F(FatBinaryTest, OverlappingContainersCostNoMoreThanTheirBytes) {
  std::string section;
  const std::size_t size = 4 << 20;
  while (section.size() < size) {
    const std::uint64_t rest = size - section.size();
    section += bytes_of<std::uint32_t>(0xBA55ED50) + bytes_of<std::uint16_t>(1) +
               bytes_of<std::uint16_t>(16) + bytes_of<std::uint64_t>(rest) +
               entry({.arch = 80, .payload = std::string(16, '\0')});
  }
  section.resize(size + 64);
  const FatBinaries found = read({{".ldata,\"aw\"", section}});
  EXPECT_THAT(found.limits,
              ElementsAre("section '.ldata' is searched in part only: too much of it looks like "
                          "fat binaries and is none"));
}

}  // namespace
}  // namespace img
