// SPDX-License-Identifier: Apache-2.0
// The cache of ldconfig: what ldconfig itself writes, and damaged ones.
#include "validators/image/ld_cache.h"

#include "tests/support/compiled_library.h"
#include "tests/support/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const std::vector<std::string> kV3 = {"x86-64-v3", "x86-64-v2"};
const std::vector<std::string> kV2 = {"x86-64-v2"};

/// A cache that ldconfig made of real libraries, one of them also for newer processors.
class LdCacheTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto ldconfig = find_program("ldconfig");
    if (!ldconfig) return;
    const TempDir root(fs::temp_directory_path(), "ld-cache-test-");
    create_folders(root.path() / "etc");
    write_file(root.path() / "etc/ld.so.conf", "/opt/lib\n");
    const auto add = [&](const std::string& path, const std::string& soname) {
      create_folders((root.path() / path).parent_path());
      testing::compile_library({.flags = {"-nostdlib", "-Wl,-soname," + soname}},
                               root.path() / path);
    };
    add("opt/lib/libone.so.1", "libone.so.1");
    add("opt/lib/libtwo.so.2", "libtwo.so.2");
    add("opt/lib/glibc-hwcaps/x86-64-v2/libtwo.so.2", "libtwo.so.2");
    add("opt/lib/glibc-hwcaps/x86-64-v3/libtwo.so.2", "libtwo.so.2");
    const ProcessResult result =
        run_process({.argv = {ldconfig->string(), "-X", "-r", root.path().string()}});
    ASSERT_EQ(result.exit_code, 0) << result.stderr_text;
    cache_ = new std::string(read_file(root.path() / "etc/ld.so.cache"));
  }
  static void TearDownTestSuite() {
    delete cache_;
    cache_ = nullptr;
  }
  void SetUp() override {
    if (cache_ == nullptr) GTEST_SKIP() << "ldconfig is not installed";
  }

  static std::string* cache_;
};

std::string* LdCacheTest::cache_ = nullptr;

TEST_F(LdCacheTest, HasTheBestPathOfEachName) {
  EXPECT_THAT(
      parse_ld_cache(*cache_, kV3),
      UnorderedElementsAre(Pair("libone.so.1", "/opt/lib/libone.so.1"),
                           Pair("libtwo.so.2", "/opt/lib/glibc-hwcaps/x86-64-v3/libtwo.so.2")));
  EXPECT_EQ(parse_ld_cache(*cache_, kV2).at("libtwo.so.2"),
            "/opt/lib/glibc-hwcaps/x86-64-v2/libtwo.so.2");
  EXPECT_EQ(parse_ld_cache(*cache_, {}).at("libtwo.so.2"), "/opt/lib/libtwo.so.2");
}

TEST_F(LdCacheTest, IsFoundBehindTheOldFormat) {
  // Header and one entry of 12 bytes, then the new format at a multiple of 8.
  std::string old("ld.so-1.7.0\0", 12);
  old += std::string("\1\0\0\0", 4) + std::string(12, '\0') + std::string(4, '\0');
  EXPECT_EQ(parse_ld_cache(old + *cache_, kV3), parse_ld_cache(*cache_, kV3));
}

TEST_F(LdCacheTest, DamagedCachesAreRead) {
  EXPECT_THAT(parse_ld_cache("", kV3), IsEmpty());
  EXPECT_THAT(parse_ld_cache("no cache", kV3), IsEmpty());
  for (std::size_t size = 0; size < cache_->size(); ++size) {
    parse_ld_cache(std::string_view(*cache_).substr(0, size), kV3);
  }
  testing::Random random(99);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = *cache_;
    for (int j = 0; j < 3; ++j) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    }
    parse_ld_cache(bytes, kV3);
  }
}

}  // namespace
}  // namespace img
