// SPDX-License-Identifier: Apache-2.0
// Wheel file names, versions and tags.
#include "builder/inputs/wheel.h"
#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

TEST(WheelName, NormalizesDistributions) {
  EXPECT_EQ(normalize_distribution("Foo__Bar.-baz"), "foo-bar-baz");
  EXPECT_EQ(normalize_distribution("numpy"), "numpy");
}

TEST(WheelName, NormalizesEqualVersionsToOneText) {
  for (const char* version : {"1.0", "1", "v1.0.0", "01.0", "0!1.0"}) {
    EXPECT_EQ(normalize_version(version), "1") << version;
  }
  EXPECT_EQ(normalize_version("1.0-1"), "1.post1");
  EXPECT_EQ(normalize_version("1.0_1"), "1.post1");
  EXPECT_EQ(normalize_version("1.0.POST1"), "1.post1");
  EXPECT_EQ(normalize_version("2.0alpha-3.dev"), "2.a3.dev0");
  EXPECT_EQ(normalize_version("2.0c1"), normalize_version("2.0rc1"));
  EXPECT_EQ(normalize_version("2!1.10+Ubuntu_001.x"), "2!1.10+ubuntu.1.x");
  EXPECT_NE(normalize_version("1.0"), normalize_version("1.0+local"));
  EXPECT_NE(normalize_version("1.1"), normalize_version("1.10"));
  EXPECT_EQ(normalize_version("2004D-final"), "2004d-final");
}

TEST(WheelName, ReadsAllParts) {
  const WheelFileName name = parse_wheel_file_name(
      "Foo_Bar-1.0+cu128-2build-py2.py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl");
  EXPECT_EQ(name.distribution, "Foo_Bar");
  EXPECT_EQ(name.normalized(), "foo-bar");
  EXPECT_EQ(name.version, "1.0+cu128");
  EXPECT_EQ(name.build, "2build");
  EXPECT_EQ(name.python_tags, (std::vector<std::string>{"py2", "py3"}));
  EXPECT_EQ(name.abi_tags, (std::vector<std::string>{"none"}));
  EXPECT_EQ(name.platform_tags.size(), 2u);
}

TEST(WheelName, RefusesWhatIsNoWheelName) {
  const auto error = [](const char* name) { return refusal([&] { parse_wheel_file_name(name); }); };
  EXPECT_EQ(error("foo-1.0.tar.gz"),
            "error: 'foo-1.0.tar.gz' is no wheel file name: it does not end with '.whl'");
  EXPECT_EQ(
      error("foo-1.0-py3.whl"),
      "error: 'foo-1.0-py3.whl' is no wheel file name: expected 5 or 6 parts between hyphens, "
      "got 3");
  EXPECT_EQ(
      error("f/o-1.0-py3-none-any.whl"),
      "error: 'f/o-1.0-py3-none-any.whl' is no wheel file name: 'f/o' is no distribution name");
  EXPECT_EQ(error("foo-..-py3-none-any.whl"),
            "error: 'foo-..-py3-none-any.whl' is no wheel file name: '..' is no version");
  EXPECT_EQ(
      error("foo-1-x-py3-none-any.whl"),
      "error: 'foo-1-x-py3-none-any.whl' is no wheel file name: 'x' is no build tag: it starts "
      "with a digit");
  EXPECT_EQ(
      error("foo-1-py3-none-a..b.whl"),
      "error: 'foo-1-py3-none-a..b.whl' is no wheel file name: 'a..b' is no compatibility tag");
}

std::optional<int> rank(const TagRanking& ranking, const std::string& tags) {
  return ranking.rank(parse_wheel_file_name("x-1-" + tags + ".whl"));
}

TEST(TagRanking, PrefersExactTagsAndRefusesForeignOnes) {
  const TagRanking ranking("3.11", 2, 36, "x86_64");
  const std::vector<std::string> best_first{"cp311-cp311-manylinux_2_36_x86_64",
                                            "cp311-cp311-manylinux_2_28_x86_64",
                                            "cp311-cp311-manylinux_2_17_x86_64",
                                            "cp311-cp311-manylinux2014_x86_64",
                                            "cp311-cp311-manylinux1_x86_64",
                                            "cp311-cp311-linux_x86_64",
                                            "cp311-abi3-manylinux_2_36_x86_64",
                                            "cp311-none-linux_x86_64",
                                            "cp310-abi3-manylinux_2_36_x86_64",
                                            "cp32-abi3-linux_x86_64",
                                            "py311-none-manylinux_2_36_x86_64",
                                            "py3-none-manylinux_2_36_x86_64",
                                            "py30-none-linux_x86_64",
                                            "cp311-none-any",
                                            "py311-none-any",
                                            "py3-none-any",
                                            "py310-none-any"};
  int last = -1;
  for (const std::string& tags : best_first) {
    const auto found = rank(ranking, tags);
    ASSERT_TRUE(found) << tags;
    EXPECT_GT(*found, last) << tags;
    last = *found;
  }
  for (const char* tags :
       {"cp312-cp312-linux_x86_64", "cp310-cp310-linux_x86_64", "cp312-abi3-linux_x86_64",
        "cp311-cp311-manylinux_2_37_x86_64", "cp311-cp311-linux_aarch64", "py2-none-any",
        "cp311-cp311-musllinux_1_2_x86_64", "cp311-cp311t-linux_x86_64", "cp311-cp311-win_amd64"}) {
    EXPECT_FALSE(rank(ranking, tags)) << tags;
  }
  EXPECT_EQ(rank(ranking, "py2.py3-none-any"), rank(ranking, "py3-none-any"));
}

TEST(TagRanking, KnowsOldGlibcOnlyWhereItExisted) {
  const TagRanking ranking("3.11", 2, 36, "aarch64");
  EXPECT_TRUE(rank(ranking, "cp311-cp311-manylinux2014_aarch64"));
  EXPECT_FALSE(rank(ranking, "cp311-cp311-manylinux2010_aarch64"));
  EXPECT_FALSE(rank(ranking, "cp311-cp311-manylinux_2_16_aarch64"));
}

TEST(TagRanking, RefusesWhatIsNoPythonVersion) {
  EXPECT_EQ(refusal([] { TagRanking("3", 2, 36, "x86_64"); }),
            "error: '3' is no Python version that wheels can be chosen for\n"
            "  expected: 3.8 or newer, e.g. 3.11");
}

}  // namespace
}  // namespace img::testing
