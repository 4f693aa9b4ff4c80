// SPDX-License-Identifier: Apache-2.0
// Damaged ELF files, the same on every machine: facts or an InputError, never anything else.
#include "builder/base/error.h"
#include "tests/support/compiled_library.h"
#include "tests/support/random.h"
#include "validators/elf/elf_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include <elf.h>

namespace img {
namespace {

/// Bytes whose end is the end of a mapping would be best; a heap block of the exact size lets the
/// address sanitizer see every read behind it.
void read_exactly(const std::string& bytes, int& refused) {
  const std::vector<std::uint8_t> block(bytes.begin(), bytes.end());
  try {
    read_elf(block, "/damaged.so");
  } catch (const InputError&) {
    ++refused;
  }
}

class ElfDamageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const TempDir folder(fs::temp_directory_path(), "elf-damage-test-");
    write_file(folder.path() / "map",
               "NCCL_2 { global: nccl*; }; NCCL_3 { global: cudnn*; } NCCL_2;");
    const std::string fat_binary =
        "\n__asm__(\".section .nv_fatbin,\\\"a\\\"\\n.long 0xBA55ED50\\n.short 1,16\\n.quad 144\\n"
        ".short 2,0x101\\n.long 64\\n.quad 16\\n.long 0,0\\n.short 7,1\\n.long 90,0,0\\n.quad "
        "0x100011,0,16,0,0\\n"
        ".short 1,0x101\\n.long 64\\n.quad 0\\n.long 0,0\\n.short 7,8\\n.long 120,0,0\\n.quad "
        "0x11,0,0\\n"
        ".section .note.cuda.fwd_compatibility,\\\"a\\\",@note\\n.long 19,4,1\\n.asciz \\\"NVIDIA "
        "Corporation\\\"\\n.byte 0\\n.asciz \\\"{ }\\\"\\n\");";
    const fs::path path = folder.path() / "libx.so";
    testing::compile_library(
        {.text = "#include <stdio.h>\nextern int cuInit(int); const char* const name = "
                 "\"libcudnn.so.9\";"
                 "int ncclGetVersion(void) { return puts(name) + cuInit(0); } int "
                 "cudnnCreate(void) { return 1; }" +
                 fat_binary,
         .flags = {"-Wl,-soname,libx.so.1", "-Wl,-rpath,$ORIGIN",
                   "-Wl,--version-script," + (folder.path() / "map").string()}},
        path);
    whole_ = new std::string(read_file(path));
  }
  static void TearDownTestSuite() {
    delete whole_;
    whole_ = nullptr;
  }
  static const std::string& whole() { return *whole_; }

 private:
  static std::string* whole_;
};

std::string* ElfDamageTest::whole_ = nullptr;

TEST_F(ElfDamageTest, TheWholeFileHasEverythingThatIsDamagedBelow) {
  const ElfFacts facts = read_elf(as_bytes(whole()), "/whole.so");
  EXPECT_EQ(facts.gpu_code.count, 1u);
  EXPECT_EQ(facts.gpu_code.machine.size() + facts.gpu_code.ptx.size(), 2u);
  EXPECT_EQ(facts.version_definitions.size(), 2u);
  EXPECT_FALSE(facts.version_needs.empty());
  EXPECT_EQ(facts.exports.size(), 2u);
  EXPECT_EQ(facts.imports.size(), 1u);
  EXPECT_EQ(facts.cuda_compat_note, "{ }");
  EXPECT_EQ(facts.library_names, std::vector<std::string>{"libcudnn.so.9"});
}

TEST_F(ElfDamageTest, EveryTruncationIsReadOrRefused) {
  int refused = 0;
  for (std::size_t size = 0; size < whole().size(); size += size < 600 ? 1 : 37) {
    read_exactly(whole().substr(0, size), refused);
  }
  EXPECT_GT(refused, 600);
}

TEST_F(ElfDamageTest, ChangedBytesAreReadOrRefused) {
  testing::Random random(20'251);
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = whole();
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      // Half of the changes hit what is read first: headers, hash tables, symbols, versions.
      const std::uint64_t range = random.below(2) == 0 ? 0x700 : bytes.size();
      bytes[random.below(range)] = static_cast<char>(random.next());
    }
    read_exactly(bytes, refused);
  }
  EXPECT_GT(refused, 1000);
}

/// Numbers at which sums overflow, in every aligned place of headers and tables.
TEST_F(ElfDamageTest, ExtremeNumbersAreReadOrRefused) {
  constexpr std::uint64_t kExtremes[] = {0,
                                         1,
                                         0x7fffffff,
                                         0xffffffff,
                                         0x7fffffffffffffff,
                                         0x8000000000000000,
                                         0xfffffffffffffff0,
                                         0xffffffffffffffff};
  Elf64_Ehdr header;
  std::memcpy(&header, whole().data(), sizeof(header));
  int refused = 0;
  const auto damage = [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at + 8 <= to; at += 4) {
      for (const std::uint64_t extreme : kExtremes) {
        std::string bytes = whole();
        std::memcpy(bytes.data() + at, &extreme, at % 8 == 0 ? 8 : 4);
        read_exactly(bytes, refused);
      }
    }
  };
  damage(0, 0x800);
  damage(header.e_shoff, whole().size());
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace img
