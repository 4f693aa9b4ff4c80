// SPDX-License-Identifier: Apache-2.0
// What a base image says of its date and its libraries.
#include "builder/resolve/base_image.h"

#include "tests/support/small_image.h"
#include "tests/unit/resolve/errors.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using img::testing::SmallImage;
using test::error_of;

const std::string kGlibc = "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n";
const std::string kLibstdcxx = std::string("GLIBCXX_3.4\0GLIBCXX_3.4.9\0GLIBCXX_3.4.30\0", 41) +
                               "GLIBCXX_3.4.29 GLIBCXX_DEBUG";
constexpr const char* kFolder = "usr/lib/x86_64-linux-gnu/";

class BaseImageLibraries : public ::testing::Test {
 protected:
  using Layers = std::vector<std::pair<std::string, std::string>>;
  OciSpec base(const Layers& layers) {
    create_folders(folder_.path() / "blobs");
    SmallImage image(folder_.path() / "blobs", Compression::gzip);
    for (const auto& [path, text] : layers) image.add_layer(path, text);
    write_layout(image.finish("1"), folder_.path() / "base", LayoutFormat::directory);
    return {.layout = (folder_.path() / "base").string(), .digest = image.manifest().digest.str()};
  }
  BaseLibraries libraries(const Layers& layers) {
    return libraries_of_base_image(recipe_, base(layers));
  }
  static std::vector<LockedWheel> wheels(const std::string& tag) {
    LockedWheel wheel{.sha256 = Digest::of("")};
    wheel.file = "fast-1.0-cp311-cp311-" + tag + ".whl";
    return {wheel};
  }
  std::string refusal(const std::string& tag, std::optional<int> glibcxx) {
    return error_of<ManifestError>([&] {
      require_libstdcxx(recipe_, {.layout = "base", .digest = {}},
                        {.glibc = "2.36", .glibcxx = glibcxx}, wheels(tag));
    });
  }

  TempDir folder_{fs::temp_directory_path(), "base-libraries-test-"};
  Recipe recipe_{.name = "bottom", .spec = OciSpec{}};
};

TEST_F(BaseImageLibraries, ReadsTheVersionsFromTheFiles) {
  const BaseLibraries found =
      libraries({{kFolder + std::string("libc.so.6"), kGlibc},
                 {kFolder + std::string("libstdc++.so.6.0.30"), kLibstdcxx}});
  EXPECT_EQ(found.glibc, "2.36");
  EXPECT_EQ(found.glibcxx, 30);
}

TEST_F(BaseImageLibraries, KnowsOtherFoldersAndTheTargetsOfLinks) {
  const BaseLibraries found =
      libraries({{"lib64/libc-2.28.so", "stable release version 2.28, by"},
                 {"usr/lib64/libstdc++.so.6.0.25", "GLIBCXX_3.4.25"},
                 {"usr/share/gdb/libstdc++.so.6.0.99-gdb.py", "GLIBCXX_3.4.99"}});
  EXPECT_EQ(found.glibc, "2.28");
  EXPECT_EQ(found.glibcxx, 25);
}

TEST_F(BaseImageLibraries, TheUppermostFileCounts) {
  const std::string path = kFolder + std::string("libstdc++.so.6.0.30");
  EXPECT_EQ(libraries({{kFolder + std::string("libc.so.6"), kGlibc},
                       {path, "GLIBCXX_3.4.28"},
                       {path, "GLIBCXX_3.4.29"}})
                .glibcxx,
            29);
}

TEST_F(BaseImageLibraries, ABaseWithoutGlibcIsRefused) {
  const OciSpec spec = base({{"lib/ld-musl-x86_64.so.1", "musl"}});
  EXPECT_EQ(error_of<ManifestError>([&] { libraries_of_base_image(recipe_, spec); }),
            "error: base image '" + spec.layout +
                "' has no glibc, which wheels need\n"
                "hint: use a base image of a distribution with glibc (musl has none)");
}

TEST_F(BaseImageLibraries, AWheelWithMachineCodeNeedsALibstdcxx) {
  EXPECT_EQ(refusal("manylinux_2_28_x86_64", std::nullopt),
            "error: base image 'base' has no libstdc++ for wheel "
            "'fast-1.0-cp311-cp311-manylinux_2_28_x86_64.whl'\n"
            "  expected: GLIBCXX_3.4.24 or newer   (platform tag of the wheel)\n"
            "  got:      no libstdc++.so.6   (library folders of the base image)\n"
            "hint: use a base image that has the package libstdc++6 of a newer distribution");
  EXPECT_EQ(refusal("any", std::nullopt), "nothing was thrown");
}

TEST_F(BaseImageLibraries, ALibstdcxxMustBeAsNewAsTheTagAllowsTheWheelToNeed) {
  EXPECT_EQ(refusal("manylinux_2_28_x86_64", 22),
            "error: base image 'base' has a libstdc++ that is too old for wheel "
            "'fast-1.0-cp311-cp311-manylinux_2_28_x86_64.whl'\n"
            "  expected: GLIBCXX_3.4.24 or newer   (platform tag of the wheel)\n"
            "  got:      GLIBCXX_3.4.22   (library folders of the base image)\n"
            "hint: use a base image that has the package libstdc++6 of a newer distribution");
  EXPECT_EQ(refusal("manylinux_2_28_x86_64", 24), "nothing was thrown");
  // Of two tags the wheel keeps the stricter.
  EXPECT_EQ(refusal("manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_28_x86_64", 19),
            "nothing was thrown");
  EXPECT_NE(refusal("manylinux_2_34_x86_64", 28), "nothing was thrown");
}

TEST_F(BaseImageLibraries, SaysTheDateOfTheBase) {
  create_folders(folder_.path() / "blobs");
  EXPECT_EQ(created_of_base_image(base({{"a", "b"}})), "");
  OciSpec missing{.layout = "/nonexistent", .digest = Digest::of("").str()};
  EXPECT_EQ(error_of<UsageError>([&] { created_of_base_image(missing); }),
            "error: there is no image '/nonexistent'\n"
            "  while: reading base image '/nonexistent'");
}

}  // namespace
}  // namespace img
