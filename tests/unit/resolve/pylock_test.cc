// SPDX-License-Identifier: Apache-2.0
// Reading pylock.toml and choosing the wheel that an installer takes.
#include "builder/resolve/pylock.h"

#include "tests/unit/resolve/errors.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;

constexpr const char* kHead = "lock-version = \"1.0\"\ncreated-by = \"uv\"\n";

std::string package(const std::string& body) {
  return std::string(kHead) + "[[packages]]\nname = \"Num.Py\"\n" + body;
}

TEST(Pylock, ReadsNameVersionFileSizeHashAndTime) {
  const auto packages = parse_pylock(package(
      "version = \"2.4.6\"\nmarker = \"sys_platform == 'linux'\"\n"
      "wheels = [{ url = \"http://index.test/a/numpy-2.4.6%2Bcu1-py3-none-any.whl#sha256=x\", "
      "upload-time = 2026-05-18T23:33:29.123Z, size = 16918164, hashes = { sha256 = \"89cd\" } "
      "}]\n"));
  ASSERT_EQ(packages.size(), 1u);
  EXPECT_EQ(packages[0].name, "num-py");
  EXPECT_EQ(packages[0].version, "2.4.6");
  ASSERT_EQ(packages[0].wheels.size(), 1u);
  EXPECT_EQ(packages[0].wheels[0].file, "numpy-2.4.6+cu1-py3-none-any.whl");
  EXPECT_EQ(packages[0].wheels[0].size, 16918164u);
  EXPECT_EQ(packages[0].wheels[0].sha256, "89cd");
  EXPECT_EQ(packages[0].wheels[0].uploaded, "2026-05-18T23:33:29Z");
}

TEST(Pylock, TakesUploadTimesOfOtherZones) {
  const auto packages =
      parse_pylock(package("version = \"1\"\nwheels = [{ name = \"n-1-py3-none-any.whl\", "
                           "upload-time = 2026-05-18T23:33:29+00:00, hashes = {} }]\n"));
  EXPECT_EQ(packages[0].wheels[0].uploaded, "2026-05-18T23:33:29Z");
  EXPECT_EQ(packages[0].wheels[0].sha256, "");
  EXPECT_EQ(packages[0].wheels[0].size, 0u);
}

TEST(Pylock, SortsPackagesByName) {
  const std::string text = std::string(kHead) +
                           "[[packages]]\nname = \"b\"\nversion = \"1\"\nwheels = []\n"
                           "[[packages]]\nname = \"a\"\nversion = \"1\"\nwheels = []\n";
  EXPECT_EQ(parse_pylock(text).front().name, "a");
}

TEST(Pylock, RefusesWhatIsNoClosureOfWheels) {
  const auto message = [](const std::string& text) {
    return error_of<InputError>([&] { parse_pylock(text); });
  };
  EXPECT_EQ(message("lock-version = \"2.0\"\n"),
            "error: pylock.toml: lock-version '2.0' is not 1.x");
  EXPECT_EQ(message(package("version = \"1\"\n")), "error: pylock.toml: 'num-py' has no wheels");
  EXPECT_EQ(message(package("wheels = []\n")), "error: pylock.toml: 'num-py' has no 'version'");
  EXPECT_EQ(message(package("version = \"1\"\nvcs = { type = \"git\" }\n")),
            "error: pylock.toml: 'num-py' comes as 'vcs', not as a wheel");
  EXPECT_EQ(message(package("version = \"1\"\nwheels = []\n") +
                    "[[packages]]\nname = \"num_py\"\nversion = \"2\"\nwheels = []\n"),
            "error: pylock.toml: 'num-py' is there twice: 1 and 2");
  EXPECT_TRUE(message("x = = 1\n").starts_with("error: pylock.toml: line 1: "));
}

PylockPackage with_files(const std::vector<std::string>& files) {
  PylockPackage package{.name = "x", .version = "1.0", .wheels = {}};
  for (const std::string& file : files) {
    package.wheels.push_back({.file = file, .size = 1, .sha256 = "", .uploaded = ""});
  }
  return package;
}

TEST(ChooseWheel, PrefersTheMostSpecificThatRuns) {
  const TagRanking ranking("3.11", 2, 36, "x86_64");
  const auto package =
      with_files({"x-1.0-py3-none-any.whl", "x-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
                  "x-1.0-cp311-cp311-manylinux_2_39_x86_64.whl",
                  "x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"});
  EXPECT_EQ(choose_wheel(package, ranking).file, "x-1.0-cp311-cp311-manylinux_2_28_x86_64.whl");
}

TEST(ChooseWheel, TakesTheHighestBuildWhateverTheOrder) {
  const TagRanking ranking("3.11", 2, 36, "x86_64");
  for (const auto& files :
       {std::vector<std::string>{"x-1.0-9-py3-none-any.whl", "x-1.0-10-py3-none-any.whl"},
        std::vector<std::string>{"x-1.0-10-py3-none-any.whl", "x-1.0-9-py3-none-any.whl"}}) {
    EXPECT_EQ(choose_wheel(with_files(files), ranking).file, "x-1.0-10-py3-none-any.whl");
  }
}

TEST(ChooseWheel, SaysWhichThereAreWhenNoneFits) {
  const TagRanking ranking("3.11", 2, 36, "x86_64");
  EXPECT_EQ(error_of<ManifestError>(
                [&] { choose_wheel(with_files({"x-1.0-cp312-cp312-win_amd64.whl"}), ranking); }),
            "error: no wheel of 'x' 1.0 fits the image's Python and glibc\n"
            "  there is: x-1.0-cp312-cp312-win_amd64.whl\n"
            "hint: choose another version of it, or another base");
}

}  // namespace
}  // namespace img
