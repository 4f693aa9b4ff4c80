// SPDX-License-Identifier: Apache-2.0
// What is read of ELF files that the compiler makes, and what is said of those that are none.
#include "validators/elf/elf_reader.h"

#include "builder/base/error.h"
#include "tests/support/compiled_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include <elf.h>

namespace img {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

class ElfReaderTest : public ::testing::Test {
 protected:
  std::string made(const testing::LibrarySource& source) {
    const fs::path path = folder_.path() / ("file" + std::to_string(++count_));
    testing::compile_library(source, path);
    return read_file(path);
  }
  static ElfFacts read(const std::string& bytes) { return read_elf(as_bytes(bytes), "/lib/x.so"); }
  static std::string message_of(const std::string& bytes) {
    try {
      read(bytes);
    } catch (const InputError& error) {
      return error.text().message;
    }
    return "no error";
  }

  TempDir folder_{fs::temp_directory_path(), "elf-reader-test-"};
  int count_ = 0;
};

Elf64_Ehdr header_of(const std::string& bytes) {
  Elf64_Ehdr header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

void put_header(std::string& bytes, const Elf64_Ehdr& header) {
  std::memcpy(bytes.data(), &header, sizeof(header));
}

TEST_F(ElfReaderTest, TellsWhatALoaderWouldDoWithALibrary) {
  const ElfFacts facts =
      read(made({.text = "extern int puts(const char*); int f(void) { return puts(\"\"); }",
                 .flags = {"-Wl,-soname,libx.so.1", "-Wl,--disable-new-dtags",
                           "-Wl,-rpath,$ORIGIN/../lib:/opt", "-Wl,-z,nodefaultlib",
                           "-Wl,--build-id=0x0123abcd"}}));
  EXPECT_EQ(facts.machine, EM_X86_64);
  EXPECT_EQ(facts.type, ET_DYN);
  EXPECT_TRUE(facts.is_64);
  EXPECT_TRUE(facts.has_dynamic);
  EXPECT_EQ(facts.soname, "libx.so.1");
  EXPECT_EQ(facts.interpreter, "");
  EXPECT_EQ(facts.rpath, "$ORIGIN/../lib:/opt");
  EXPECT_EQ(facts.runpath, "");
  EXPECT_THAT(facts.needed, ElementsAre("libc.so.6"));
  EXPECT_TRUE(facts.no_default_lib);
  EXPECT_EQ(facts.build_id, "0123abcd");
  EXPECT_THAT(facts.version_needs,
              Contains(AllOf(Field(&VersionNeed::library, "libc.so.6"),
                             Field(&VersionNeed::version, ::testing::StartsWith("GLIBC_2.")))));
}

TEST_F(ElfReaderTest, TellsTheInterpreterAndRunpathOfAProgram) {
  const ElfFacts facts = read(made({.text = "int main(void) { return 0; }",
                                    .flags = {"-Wl,--enable-new-dtags", "-Wl,-rpath,$ORIGIN"},
                                    .is_program = true}));
  EXPECT_EQ(facts.interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(facts.runpath, "$ORIGIN");
  EXPECT_EQ(facts.rpath, "");
  EXPECT_FALSE(facts.no_default_lib);
}

TEST_F(ElfReaderTest, KeepsTheSymbolsOfGpuInterfacesWithTheirVersions) {
  write_file(folder_.path() / "map",
             "NCCL_2 { global: nccl*; }; OTHER_1 { global: cudnn*; local: *; };");
  const std::string text =
      "extern int cuInit(int); extern int ncclSend(void) __attribute__((weak)); extern int "
      "other(void);"
      "int ncclGetVersion(void) { return cuInit(0) + (ncclSend ? ncclSend() : 0) + other(); }"
      "int cudnnCreate(void) { return 1; } int cudnn(void) { return 2; } int helper(void) { return "
      "3; }"
      "int aoti_torch_not_exported(void) { return 4; }";
  const ElfFacts facts = read(
      made({.text = text,
            .flags = {"-nostdlib", "-Wl,--version-script," + (folder_.path() / "map").string()}}));
  EXPECT_THAT(facts.version_definitions, ElementsAre("NCCL_2", "OTHER_1"));
  EXPECT_THAT(facts.exports, ElementsAre(SymbolRef{"cudnnCreate", "OTHER_1", false},
                                         SymbolRef{"ncclGetVersion", "NCCL_2", false}));
  EXPECT_THAT(facts.imports,
              ElementsAre(SymbolRef{"cuInit", "", false}, SymbolRef{"ncclSend", "", true}));
}

TEST_F(ElfReaderTest, TellsTheVersionsThatImportedSymbolsMustHave) {
  const fs::path library = folder_.path() / "libcudart.so.12";
  write_file(folder_.path() / "map", "libcudart.so.12 { global: *; };");
  testing::compile_library({.text = "int cudaMalloc(void) { return 0; }",
                            .flags = {"-nostdlib", "-Wl,-soname,libcudart.so.12",
                                      "-Wl,--version-script," + (folder_.path() / "map").string()}},
                           library);
  const ElfFacts facts =
      read(made({.text = "extern int cudaMalloc(void); int f(void) { return cudaMalloc(); }",
                 .flags = {"-nostdlib", library.string()}}));
  EXPECT_THAT(facts.imports, ElementsAre(SymbolRef{"cudaMalloc", "libcudart.so.12", false}));
  EXPECT_THAT(facts.version_needs,
              ElementsAre(AllOf(Field(&VersionNeed::library, "libcudart.so.12"),
                                Field(&VersionNeed::version, "libcudart.so.12"),
                                Field(&VersionNeed::weak, false))));
}

TEST_F(ElfReaderTest, CountsSymbolsByTheStringTheyAreCompiledWith) {
  const std::string text =
      "#include <string>\nnamespace at { void f(const std::string&) {} void g(std::string, int) {} "
      "void SsInItsName(int) {} std::string h() { return {}; } }";
  const ElfFacts with_new = read(made({.text = text, .language = "c++"}));
  EXPECT_EQ(with_new.old_string_symbols, 0u);
  EXPECT_GE(with_new.new_string_symbols, 2u);
  EXPECT_THAT(with_new.old_string_examples, IsEmpty());
  const ElfFacts with_old =
      read(made({.text = text, .language = "c++", .flags = {"-D_GLIBCXX_USE_CXX11_ABI=0"}}));
  EXPECT_GE(with_old.old_string_symbols, 2u);
  EXPECT_EQ(with_old.new_string_symbols, 0u);
  EXPECT_THAT(with_old.old_string_examples, Contains("_ZN2at1fERKSs"));
}

TEST_F(ElfReaderTest, ReadsWithBothKindsOfSymbolHashTable) {
  for (const char* style : {"-Wl,--hash-style=sysv", "-Wl,--hash-style=gnu"}) {
    const ElfFacts facts =
        read(made({.text = "int cuInit(int x) { return x; }", .flags = {"-nostdlib", style}}));
    EXPECT_THAT(facts.exports, ElementsAre(SymbolRef{"cuInit", "", false})) << style;
  }
}

TEST_F(ElfReaderTest, NeedsNoSectionTable) {
  std::string bytes =
      made({.text = "int cuInit(int x) { return x; } const char* name = \"libnccl.so.2\";",
            .flags = {"-nostdlib", "-Wl,-soname,libx.so"}});
  Elf64_Ehdr header = header_of(bytes);
  header.e_shoff = 0;
  header.e_shnum = header.e_shstrndx = 0;
  put_header(bytes, header);
  const ElfFacts facts = read(bytes);
  EXPECT_EQ(facts.soname, "libx.so");
  EXPECT_THAT(facts.exports, ElementsAre(SymbolRef{"cuInit", "", false}));
  EXPECT_THAT(facts.library_names, Contains("libnccl.so.2"));
  EXPECT_THAT(facts.gpu_code.limits, IsEmpty());
}

TEST_F(ElfReaderTest, SaysThatADamagedSectionTableHidesGpuCode) {
  std::string bytes = made({.text = "int f(void) { return 0; }", .flags = {"-nostdlib"}});
  Elf64_Ehdr header = header_of(bytes);
  header.e_shoff = bytes.size() - 10;
  put_header(bytes, header);
  EXPECT_THAT(read(bytes).gpu_code.limits,
              ElementsAre("sections that could hold GPU code are not known: the section table is "
                          "damaged"));
}

TEST_F(ElfReaderTest, ReadsTheDynamicSectionOf32BitFiles) {
  const ElfFacts facts =
      read(made({.text = "int f(void) { return 0; }",
                 .flags = {"-m32", "-nostdlib", "-Wl,-soname,libx.so.3", "-Wl,-rpath,/opt"}}));
  EXPECT_EQ(facts.machine, EM_386);
  EXPECT_FALSE(facts.is_64);
  EXPECT_EQ(facts.soname, "libx.so.3");
  EXPECT_EQ(facts.runpath + facts.rpath, "/opt");
}

TEST_F(ElfReaderTest, ReadsTheHeaderOfABigEndianFile) {
  std::string bytes(sizeof(Elf64_Ehdr), '\0');
  bytes.replace(0, 7,
                "\x7f"
                "ELF\x02\x02\x01",
                7);
  bytes[17] = ET_DYN;
  bytes[19] = EM_S390;
  const ElfFacts facts = read(bytes);
  EXPECT_EQ(facts.machine, EM_S390);
  EXPECT_EQ(facts.type, ET_DYN);
  EXPECT_FALSE(facts.has_dynamic);
}

TEST_F(ElfReaderTest, ReadsTheNoteOfAForwardCompatibilityDriver) {
  const std::string json = R"({"CUDA Version":"12.9","Driver":[535,550]})";
  const std::string text =
      ".section .note.cuda.fwd_compatibility,\"a\",@note\n.balign 4\n.long 19, " +
      std::to_string(json.size() + 1) +
      ", 1\n.asciz \"NVIDIA Corporation\"\n.balign 4\n.asciz \"{\\\"CUDA Version\\\":\\\"12.9\\\","
      "\\\"Driver\\\":[535,550]}\"\n.balign 4\n";
  const ElfFacts facts =
      read(made({.text = text, .language = "assembler", .flags = {"-nostdlib"}}));
  EXPECT_EQ(facts.cuda_compat_note, json);
}

TEST_F(ElfReaderTest, NamesFileAndDamage) {
  const std::string whole = made({.text = "int f(void) { return 0; }", .flags = {"-nostdlib"}});
  EXPECT_EQ(message_of("not elf"),
            "'/lib/x.so' is no readable ELF file: it does not begin as an ELF file");
  EXPECT_EQ(message_of("\x7f"
                       "ELF\x02"),
            "'/lib/x.so' is no readable ELF file: the identification lies outside of the file");
  std::string bytes = whole;
  bytes[4] = 7;
  EXPECT_EQ(message_of(bytes),
            "'/lib/x.so' is no readable ELF file: class 7 is neither 32-bit nor 64-bit");
  bytes = whole;
  bytes[5] = 3;
  EXPECT_EQ(message_of(bytes), "'/lib/x.so' is no readable ELF file: byte order 3 is not known");
  EXPECT_EQ(message_of(whole.substr(0, 70)),
            "'/lib/x.so' is no readable ELF file: the table of program headers lies outside of the "
            "file");
  EXPECT_EQ(message_of(whole.substr(0, 0x1100)),
            "'/lib/x.so' is no readable ELF file: a segment lies outside of the file");
  bytes = whole;
  Elf64_Ehdr header = header_of(bytes);
  header.e_phentsize = 8;
  put_header(bytes, header);
  EXPECT_EQ(message_of(bytes), "'/lib/x.so' is no readable ELF file: program headers have 8 bytes");
}

TEST(GpuArch, IsWrittenWithItsSuffix) {
  EXPECT_EQ(to_string(GpuArch{90, 'a'}), "90a");
  EXPECT_EQ(to_string(GpuArch{120}), "120");
  EXPECT_LT((GpuArch{90}), (GpuArch{90, 'a'}));
  EXPECT_LT((GpuArch{90, 'a'}), (GpuArch{100}));
}

}  // namespace
}  // namespace img
