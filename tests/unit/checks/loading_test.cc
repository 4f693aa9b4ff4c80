// SPDX-License-Identifier: Apache-2.0
// ELF-CLOSURE, ELF-VERSION, ELF-SYMS and ELF-CXXABI.
#include "tests/unit/checks/fake_image.h"
#include "validators/checks/known_misses.h"

#include <gmock/gmock.h>

namespace img {
namespace {

using testing::complaints;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::evidence;
using testing::FakeImage;
using testing::good_image;
using testing::kSite;
using testing::kSystem;
using testing::kTorchLib;

TEST(Closure, NamesTheFilesThatTorchGets) {
  EXPECT_THAT(evidence(good_image().run("ELF-CLOSURE")),
              Contains("torch's process maps 'libcudart.so.12' from '" + kSite +
                       "/nvidia/cuda_runtime/lib/libcudart.so.12' (RPATH of '" + kTorchLib +
                       "/libtorch_cuda.so')"));
}

TEST(Closure, AMissingLibraryFailsAtTheObjectThatAsks) {
  FakeImage image = good_image();
  image.remove(kSite + "/nvidia/nccl/lib/libnccl.so.2");
  EXPECT_THAT(complaints(image.run("ELF-CLOSURE")),
              ElementsAre("fail: '" + kTorchLib +
                          "/libtorch_cuda.so' needs 'libnccl.so.2', which no loader finds | "
                          "libnccl.so.2 | not found | NEEDED; RPATH " +
                          image.facts.elf[kTorchLib + "/libtorch_cuda.so"].rpath));
}

TEST(Closure, TheDriversLibrariesMayBeMissing) {
  FakeImage image = good_image();
  image.elf(kTorchLib + "/libcaffe2_nvrtc.so", "libcaffe2_nvrtc.so", {"libcuda.so.1"});
  const CheckResult result = image.run("ELF-CLOSURE");
  EXPECT_EQ(result.status, Status::pass);
  EXPECT_THAT(evidence(result), Contains("'libcaffe2_nvrtc.so' needs 'libcuda.so.1', which the "
                                         "host's driver brings"));
}

TEST(Closure, OnlyExactPairsAreKnownToMiss) {
  FakeImage image = good_image();
  image.elf(kSite + "/nvidia/cufile/lib/libcufile_rdma.so.1", "libcufile_rdma.so.1",
            {"libmlx5.so.1", "libother.so.1"});
  EXPECT_THAT(complaints(image.run("ELF-CLOSURE")),
              ElementsAre("fail: '" + kSite +
                          "/nvidia/cufile/lib/libcufile_rdma.so.1' needs 'libother.so.1', which no "
                          "loader finds | libother.so.1 | not found | NEEDED; no run path"));
  EXPECT_EQ(known_miss("/x/libcufile.so.0", "libmlx5.so.1"), nullptr);
  EXPECT_EQ(known_miss("/x/my_libcufile_rdma.so.1", "libmlx5.so.1"), nullptr);
}

TEST(Closure, APlugInThatIsLinkedMayNotMissAnything) {
  FakeImage image = good_image();
  const std::string folder = kSite + "/nvidia/cufile/lib";
  image.elf(folder + "/libcufile_rdma.so.1", "libcufile_rdma.so.1", {"libmlx5.so.1"});
  EXPECT_EQ(image.run("ELF-CLOSURE").status, Status::pass);
  image.elf(folder + "/libcufile.so.0", "libcufile.so.0", {"libcufile_rdma.so.1"}, "", "$ORIGIN");
  EXPECT_EQ(image.run("ELF-CLOSURE").status, Status::fail);
}

TEST(Closure, AnRpathOfTheParentServesItsChildren) {
  FakeImage image = good_image();
  const std::string folder = kSite + "/pkg";
  image.elf(folder + "/ext.so", "", {"libfirst.so"}, "$ORIGIN/libs");
  image.elf(folder + "/libs/libfirst.so", "libfirst.so", {"libsecond.so"});
  image.elf(folder + "/libs/libsecond.so", "libsecond.so");
  const CheckResult result = image.run("ELF-CLOSURE");
  EXPECT_EQ(result.status, Status::pass) << result.reason;
  EXPECT_THAT(evidence(result),
              Contains("'libfirst.so' finds 'libsecond.so' through the objects that load it"));
}

TEST(Closure, ExtensionsMayLeaveTorchsLibrariesToTorch) {
  FakeImage image = good_image();
  image.elf(kSite + "/torchvision/_C.so", "", {"libtorch_cpu.so"});
  const CheckResult result = image.run("ELF-CLOSURE");
  EXPECT_EQ(result.status, Status::pass) << result.reason;
  EXPECT_THAT(evidence(result), Contains("'_C.so' finds 'libtorch_cpu.so' once torch is loaded"));
}

TEST(Closure, NamesThatALibraryCannotWorkWithoutAreRequired) {
  FakeImage image = good_image();
  image.facts.elf[kTorchLib + "/libtorch_cuda.so"].library_names = {"libtorch_cuda_linalg.so",
                                                                    "libnccl-net.so"};
  EXPECT_THAT(complaints(image.run("ELF-CLOSURE")),
              ElementsAre("fail: '" + kTorchLib +
                          "/libtorch_cuda.so' opens 'libtorch_cuda_linalg.so', which no loader "
                          "finds | libtorch_cuda_linalg.so | not found | names in the file"));
  image.elf(kTorchLib + "/libtorch_cuda_linalg.so", "libtorch_cuda_linalg.so");
  EXPECT_EQ(image.run("ELF-CLOSURE").status, Status::pass);
}

TEST(Versions, AGlibcThatIsTooOldFails) {
  FakeImage image = good_image();
  image.facts.elf[kSystem + "/libc.so.6"].version_definitions = {"GLIBC_2.2.5", "GLIBC_2.27"};
  image.facts.elf["/usr/bin/python3.11"].version_needs.clear();
  EXPECT_THAT(complaints(image.run("ELF-VERSION")),
              ElementsAre("fail: '" + kTorchLib +
                          "/libtorch_cpu.so' needs GLIBC_2.28 of 'libc.so.6', which '" + kSystem +
                          "/libc.so.6' does not define | GLIBC_2.28 | up to GLIBC_2.27 | " +
                          kSystem + "/libc.so.6"));
}

TEST(Versions, NumbersAreComparedAsNumbers) {
  FakeImage image = good_image();
  image.facts.elf[kSystem + "/libc.so.6"].version_definitions = {"GLIBC_2.4", "GLIBC_2.28",
                                                                 "GLIBC_2.36", "GLIBC_2.5"};
  const CheckResult result = image.run("ELF-VERSION");
  EXPECT_EQ(result.status, Status::pass);
  const auto glibc = std::find_if(
      result.findings.begin(), result.findings.end(),
      [](const Finding& one) { return one.message.find("GLIBC ") != std::string::npos; });
  ASSERT_NE(glibc, result.findings.end());
  EXPECT_EQ(glibc->expected, "GLIBC_2.36");
  EXPECT_EQ(glibc->actual, "up to GLIBC_2.36");
}

TEST(Versions, AWeakNeedOnlyWarns) {
  FakeImage image = good_image();
  image.facts.elf["/usr/bin/python3.11"].version_needs.push_back(
      {.library = "libc.so.6", .version = "GLIBC_2.99", .weak = true});
  EXPECT_EQ(image.run("ELF-VERSION").status, Status::warn);
}

TEST(Symbols, AFunctionThatNoLoadedLibraryDefinesFails) {
  FakeImage image = good_image();
  image.facts.elf[kSite + "/nvidia/nccl/lib/libnccl.so.2"].exports = {{"ncclAllReduce", ""}};
  EXPECT_THAT(complaints(image.run("ELF-SYMS")),
              ElementsAre("fail: '" + kTorchLib +
                          "/libtorch_cuda.so' needs 'ncclCommRegister', which no library that it "
                          "loads defines | ncclCommRegister | undefined | " +
                          kSite + "/nvidia/nccl/lib/libnccl.so.2"));
}

TEST(Symbols, VersionsCount) {
  FakeImage image = good_image();
  image.facts.elf[kSite + "/nvidia/cuda_runtime/lib/libcudart.so.12"].exports = {
      {"cudaMalloc", "libcudart.so.13"}};
  EXPECT_THAT(complaints(image.run("ELF-SYMS")),
              ElementsAre("fail: '" + kTorchLib +
                          "/libtorch_cuda.so' needs 'cudaMalloc@libcudart.so.12', which no library "
                          "that it loads defines | cudaMalloc@libcudart.so.12 | undefined | " +
                          kSite + "/nvidia/cuda_runtime/lib/libcudart.so.12"));
}

TEST(Symbols, TheDriversFunctionsAreTheHosts) {
  FakeImage image = good_image();
  ElfFacts& elf =
      image.elf(kTorchLib + "/libcaffe2_nvrtc.so", "libcaffe2_nvrtc.so", {"libcuda.so.1"});
  elf.imports = {{"cuInit", ""}, {"cuModuleLoadData", ""}};
  const CheckResult result = image.run("ELF-SYMS");
  EXPECT_EQ(result.status, Status::pass) << result.reason;
  EXPECT_THAT(evidence(result), Contains("'" + kTorchLib +
                                         "/libcaffe2_nvrtc.so' takes 2 functions from the host's "
                                         "driver"));
  image.facts.elf[kTorchLib + "/libcaffe2_nvrtc.so"].imports.push_back({"cudaFree", ""});
  EXPECT_EQ(image.run("ELF-SYMS").status, Status::fail);
}

TEST(Symbols, WeakOnesMayBeMissing) {
  FakeImage image = good_image();
  image.facts.elf[kTorchLib + "/libtorch_cuda.so"].imports.push_back(
      {.name = "ncclNewest", .version = "", .weak = true});
  EXPECT_EQ(image.run("ELF-SYMS").status, Status::pass);
}

TEST(CxxAbi, OldStringsInANewReleaseFail) {
  FakeImage image = good_image();
  ElfFacts& elf = image.facts.elf[kTorchLib + "/libtorch_cpu.so"];
  elf.old_string_symbols = 3;
  elf.old_string_examples = {"_ZN3c105ErrorESs"};
  EXPECT_THAT(complaints(image.run("ELF-CXXABI")),
              ElementsAre("fail: 'libtorch_cpu.so' does not use the new std::string only | the new "
                          "std::string only | 40,000 symbols with the new, 3 with the old, as "
                          "_ZN3c105ErrorESs | compatibility table, torch 2.8 cu128"));
}

TEST(CxxAbi, WheelsOfTheOldAbiCarryPartsOfLibstdcxxWithTheNewOne) {
  FakeImage image = good_image();
  image.text(kSite + "/torch/version.py", "__version__ = '2.4.1+cu121'\ncuda = '12.1'\n");
  for (auto& [path, elf] : image.facts.elf) {
    if (elf.new_string_symbols == 0) continue;
    elf.old_string_symbols = 2'000;
    elf.new_string_symbols = 200;
  }
  EXPECT_EQ(image.run("ELF-CXXABI").status, Status::pass) << image.run("ELF-CXXABI").reason;
  image.facts.elf[kTorchLib + "/libtorch_cuda.so"].old_string_symbols = 0;
  EXPECT_EQ(image.run("ELF-CXXABI").reason, "'libtorch_cuda.so' does not use the old std::string");
}

TEST(CxxAbi, AReleaseThatTheTableDoesNotHaveMustAgreeWithItself) {
  FakeImage image = good_image();
  image.text(kSite + "/torch/version.py", "__version__ = '9.9.0+cu128'\ncuda = '12.8'\n");
  EXPECT_EQ(image.run("ELF-CXXABI").status, Status::pass);
  image.facts.elf[kTorchLib + "/libtorch_cuda.so"].old_string_symbols = 7;
  EXPECT_EQ(image.run("ELF-CXXABI").reason,
            "'libtorch_cuda.so' does not use the new std::string only");
}

TEST(CxxAbi, AnExtensionOfTheOtherAbiFails) {
  FakeImage image = good_image();
  ElfFacts& elf = image.elf(kSite + "/ext/_C.so", "", {"libtorch_cpu.so"});
  elf.old_string_symbols = 7;
  EXPECT_EQ(image.run("ELF-CXXABI").reason,
            "'" + kSite + "/ext/_C.so' is built for another std::string than torch");
}

TEST(CxxAbi, TooFewSymbolsToTellBlock) {
  FakeImage image = good_image();
  for (auto& [path, elf] : image.facts.elf) elf.new_string_symbols = 0;
  EXPECT_EQ(image.run("ELF-CXXABI").status, Status::blocked);
}

}  // namespace
}  // namespace img
