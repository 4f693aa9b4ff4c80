// SPDX-License-Identifier: Apache-2.0
// Single members of a wheel: from the store, by ranges, as a stream; and what goes wrong on the
// way.
#include "builder/facts/wheel_members.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/facts/torch_wheel.h"
#include "tests/support/compiled_library.h"
#include "tests/support/wheel_builder.h"
#include "tests/unit/facts/ranged_web.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::RangedWeb;
using ::testing::HasSubstr;

constexpr const char* kUrl = "https://files.test/demo-1.0-py3-none-any.whl";
constexpr const char* kLibrary = "demo/lib/libdemo.so";

class WheelMembersTest : public ::testing::Test {
 protected:
  WheelMembersTest() {
    const fs::path file = folder_.path() / "libdemo.so";
    testing::compile_library({.text = "int demo_answer(void) { return 42; }\n"}, file);
    parts_.files = {{.name = "demo/noise.bin", .plain = noise(400'000)},
                    {.name = "demo/version.py", .plain = "__version__ = '1.0'\n"},
                    {.name = kLibrary, .plain = read_file(file)},
                    {.name = "demo/more.bin", .plain = noise(300'000)}};
    publish();
  }

  static std::string noise(std::size_t size) {
    std::string text;
    std::uint64_t state = 88172645463325252ull;
    while (text.size() < size) {
      state ^= state << 13, state ^= state >> 7, state ^= state << 17;
      text += static_cast<char>(state);
    }
    return text;
  }
  void publish() {
    web_.files[kUrl] = testing::build_wheel(parts_);
    wheel_ = {.file = parts_.file_name(),
              .url = kUrl,
              .sha256 = to_hex(sha256(web_.files[kUrl])),
              .size = web_.files[kUrl].size()};
  }
  WheelMembers read() {
    RemoteOptions options;
    options.pause = [this](double) { ++pauses_; };
    options.make_client = [this] { return web_.client(); };
    const WantedMembers wanted{.texts = {"demo/version.py", "*.dist-info/METADATA"},
                               .libraries = {kLibrary}};
    return read_wheel_members(wheel_, wanted, store_, progress_, options);
  }
  std::string problem() {
    try {
      read();
    } catch (const Error& error) {
      return error.render();
    }
    return {};
  }
  void expect_all(const WheelMembers& members) {
    EXPECT_EQ(members.texts.at("demo/version.py"), "__version__ = '1.0'\n");
    EXPECT_THAT(members.texts.at("demo-1.0.dist-info/METADATA"), HasSubstr("Name: demo"));
    ASSERT_EQ(members.libraries.size(), 1u);
    EXPECT_TRUE(members.libraries.at(kLibrary).has_dynamic);
  }

  TempDir folder_{fs::temp_directory_path(), "wheel-members-test-"};
  Store store_{folder_.path() / "store"};
  Progress progress_{ProgressMode::quiet};
  RangedWeb web_;
  testing::WheelParts parts_;
  RemoteWheel wheel_;
  int pauses_ = 0;
};

TEST_F(WheelMembersTest, TransfersOnlyWhatIsNeeded) {
  const WheelMembers members = read();
  expect_all(members);
  EXPECT_EQ(members.transport, Transport::ranges);
  EXPECT_EQ(members.bytes_read, web_.sent);
  EXPECT_LT(web_.sent, web_.files[kUrl].size() / 3);
  EXPECT_EQ(pauses_, 0);
}

TEST_F(WheelMembersTest, AsksForTheSizeWhenTheIndexDoesNotSay) {
  wheel_.size = 0;
  expect_all(read());
}

TEST_F(WheelMembersTest, ReadsAStreamWhenThereAreNoRanges) {
  web_.ranges = false;
  const WheelMembers members = read();
  expect_all(members);
  EXPECT_EQ(members.transport, Transport::stream);
  EXPECT_EQ(members.bytes_read, web_.files[kUrl].size());
  wheel_.size = 0;
  expect_all(read());
}

TEST_F(WheelMembersTest, HoldsAStreamAgainstItsDigest) {
  web_.ranges = false;
  wheel_.sha256 = std::string(64, '0');
  EXPECT_THAT(problem(), HasSubstr("error: 'demo-1.0-py3-none-any.whl' is not the file that the "
                                   "index lists\n  expected: sha256:0000"));
}

TEST_F(WheelMembersTest, GoesOnWhereAConnectionEnded) {
  web_.cut_after = 20'000;
  expect_all(read());
  EXPECT_GT(pauses_, 1);
}

TEST_F(WheelMembersTest, StopsAServerThatSendsMoreThanItWasAskedFor) {
  web_.sends_more = true;
  expect_all(read());
}

TEST_F(WheelMembersTest, GivesUpAfterItsTries) {
  web_.failures = 100;
  EXPECT_EQ(problem(), "error: cannot fetch '" + std::string(kUrl) +
                           "': the connection ended\n"
                           "  while: reading 'demo-1.0-py3-none-any.whl'");
  EXPECT_EQ(pauses_, 4);
}

TEST_F(WheelMembersTest, TakesAWheelOfTheStoreFromThere) {
  const auto writer = store_.writer();
  const std::string bytes = web_.files[kUrl];
  writer->write(as_bytes(bytes));
  writer->finish();
  writer->commit(Digest::parse("sha256:" + wheel_.sha256));
  const WheelMembers members = read();
  expect_all(members);
  EXPECT_EQ(members.transport, Transport::store);
  EXPECT_TRUE(web_.asked.empty());
}

TEST_F(WheelMembersTest, HoldsLibrariesAgainstRecord) {
  parts_.record = testing::record_line(kLibrary, "other bytes") + "demo-1.0.dist-info/RECORD,,\n";
  publish();
  EXPECT_THAT(problem(), HasSubstr("': member 'demo/lib/libdemo.so' is not what RECORD says\n"
                                   "  expected: sha256:"));
}

TEST_F(WheelMembersTest, RefusesALocalHeaderThatTellsAnotherStory) {
  parts_.files[1].local_name = "demo/version.pz";
  publish();
  EXPECT_EQ(problem(),
            "error: 'demo-1.0-py3-none-any.whl': member 'demo/version.py' is not the same in its "
            "local header\n"
            "  while: reading 'demo-1.0-py3-none-any.whl'");
}

TEST_F(WheelMembersTest, NoticesDamageInAMember) {
  const std::size_t at = web_.files[kUrl].find("demo/version.py") + 15;
  web_.files[kUrl][at] = static_cast<char>(web_.files[kUrl][at] ^ 0x10);
  EXPECT_THAT(problem(), HasSubstr("error: deflate stream at byte "));
}

TEST_F(WheelMembersTest, SaysThatAFileIsNoArchive) {
  web_.files[kUrl] = std::string(5000, 'x');
  wheel_.size = 5000;
  EXPECT_EQ(problem(),
            "error: 'demo-1.0-py3-none-any.whl' is not a zip file: it has no end of central "
            "directory record\n"
            "  while: reading 'demo-1.0-py3-none-any.whl'");
  web_.ranges = false;
  EXPECT_EQ(problem(),
            "error: 'demo-1.0-py3-none-any.whl' has no member at byte 0, where one should begin\n"
            "  while: reading 'demo-1.0-py3-none-any.whl'");
}

TEST_F(WheelMembersTest, ADeepLookNamesTheMemberThatIsMissing) {
  const auto missing = [](const WheelMembers& members) -> std::string {
    try {
      deep_facts(members, "torch.whl");
    } catch (const InputError& error) {
      return error.render();
    }
    return {};
  };
  WheelMembers members;
  EXPECT_EQ(missing(members), "error: 'torch.whl' has no member 'torch/version.py'");
  members.texts["torch/version.py"] = "nothing = 1\n";
  EXPECT_EQ(missing(members), "error: 'torch.whl' does not say in torch/version.py what it is");
  members.texts["torch/version.py"] = "__version__ = '2.8.0+cu128'\ncuda: str = '12.8'\n";
  EXPECT_EQ(missing(members), "error: 'torch.whl' has no member 'WHEEL'");
  members.texts["torch-2.8.0.dist-info/WHEEL"] = "Tag: cp311-cp311-manylinux_2_28_x86_64\n";
  EXPECT_EQ(missing(members), "error: 'torch.whl' has no member 'torch/lib/libtorch_cuda.so'");
  ElfFacts& cuda = members.libraries["torch/lib/libtorch_cuda.so"];
  cuda.version_needs = {{"libc.so.6", "GLIBC_2.9"},
                        {"libc.so.6", "GLIBC_2.28"},
                        {"libc.so.6", "GLIBC_PRIVATE"},
                        {"libstdc++.so.6", "GLIBCXX_3.4.22"},
                        {"libstdc++.so.6", "CXXABI_1.3"}};
  cuda.gpu_code.count = 10;
  cuda.gpu_code.machine = {{{80, 0}, 10}, {{90, 0}, 9}, {{90, 'a'}, 1}, {{100, 0}, 8}};
  cuda.gpu_code.ptx = {{{120, 0}, 10}, {{90, 0}, 1}};
  const DeepFacts deep = deep_facts(members, "torch.whl");
  EXPECT_EQ(deep.cuda, "12.8");
  EXPECT_EQ(deep.platform_tag, "manylinux_2_28_x86_64");
  EXPECT_EQ(deep.glibc + " " + deep.glibcxx + " " + deep.cxxabi, "2.28 3.4.22 1.3");
  EXPECT_EQ(deep.compute, (std::vector<ComputeCapability>{{8, 0}, {9, 0}}));
  EXPECT_EQ(deep.ptx, (std::vector<ComputeCapability>{{12, 0}}));
  EXPECT_EQ(deep.single, (std::vector<std::string>{"90a", "100"}));
}

}  // namespace
}  // namespace img
