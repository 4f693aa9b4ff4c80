// SPDX-License-Identifier: Apache-2.0
// What a layer becomes on disk.
#include "validators/runner/unpack_layer.h"

#include "builder/base/error.h"
#include "tests/support/raw_image.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make tars of

class UnpackLayerTest : public ::testing::Test {
 protected:
  UnpackLayerTest() : dir_(fs::temp_directory_path(), "unpack-") {
    create_folders(dir_.path() / "tree");
  }
  fs::path tree() const { return dir_.path() / "tree"; }

  UnpackedFacts unpack(const std::string& tar, UnpackLimits limits = {}) {
    return unpack(tar, DiffId(Digest::of(tar)), limits);
  }
  UnpackedFacts unpack(const std::string& tar, const DiffId& diff_id, UnpackLimits limits = {}) {
    const SafeFolder target(tree());
    ViewSource source{as_bytes(tar)};
    return unpack_layer(source, {.target = target,
                                 .name = "sha256:abc",
                                 .diff_id = diff_id,
                                 .packed_size = tar.size(),
                                 .owners = Owners::ours,
                                 .limits = limits});
  }
  template <typename E>
  std::string error_of(const std::string& tar, UnpackLimits limits = {}) {
    try {
      unpack(tar, limits);
    } catch (const E& error) {
      return error.render();
    }
    return "no such error";
  }
  struct stat info_of(const std::string& path) const {
    struct stat info {};
    EXPECT_EQ(lstat((tree() / path).c_str(), &info), 0) << path;
    return info;
  }
  bool is_whiteout(const std::string& path) const {
    const struct stat info = info_of(path);
    return S_ISCHR(info.st_mode) && info.st_rdev == 0;
  }
  bool is_opaque(const std::string& path) const {
    char value = 0;
    return getxattr((tree() / path).c_str(), "user.overlay.opaque", &value, 1) == 1 && value == 'y';
  }
  TempDir dir_;
};

TEST_F(UnpackLayerTest, WritesFilesFoldersAndLinksWithModesAndTimes) {
  const UnpackedFacts facts =
      unpack(tar_folder("a", "0000750") + tar_file("a/f", "hello", "0000640") +
             tar_hard_link("a/h", "a/f") + tar_link("a/s", "../../anywhere") + tar_end());
  EXPECT_EQ(read_file(tree() / "a/f"), "hello");
  EXPECT_EQ(info_of("a/f").st_mode, S_IFREG | 0640u);
  EXPECT_EQ(info_of("a/f").st_mtime, 0);
  EXPECT_EQ(info_of("a/f").st_nlink, 2u);
  EXPECT_EQ(info_of("a/h").st_ino, info_of("a/f").st_ino);
  EXPECT_EQ(info_of("a").st_mode, S_IFDIR | 0750u);
  EXPECT_EQ(info_of("a").st_mtime, 0);
  EXPECT_EQ(fs::read_symlink(tree() / "a/s"), "../../anywhere");
  EXPECT_EQ(facts.entries, 4u);
  EXPECT_EQ(facts.bytes, 5u);
  EXPECT_TRUE(facts.implied.empty());
}

TEST_F(UnpackLayerTest, DropsSetuidAndSetgidAndKeepsSticky) {
  unpack(tar_file("su", "x", "0006755") + tar_folder("tmp", "0007777") + tar_end());
  EXPECT_EQ(info_of("su").st_mode, S_IFREG | 0755u);
  EXPECT_EQ(info_of("tmp").st_mode, S_IFDIR | 01777u);
}

TEST_F(UnpackLayerTest, WritesIntoFoldersThatForbidIt) {
  unpack(tar_folder("locked", "0000000") + tar_file("locked/f", "x", "0000000") + tar_end());
  EXPECT_EQ(info_of("locked").st_mode, S_IFDIR | 0u);
}

TEST_F(UnpackLayerTest, FoldersThatNobodyDeclaresAreImplied) {
  const UnpackedFacts facts = unpack(tar_file("a/b/f", "x") + tar_folder("a") + tar_end());
  EXPECT_EQ(facts.implied, std::set<std::string>{"a/b"});
  EXPECT_EQ(info_of("a/b").st_mode, S_IFDIR | 0755u);
}

TEST_F(UnpackLayerTest, WhiteoutsBecomeThoseOfOverlayfs) {
  unpack(tar_folder("a") + tar_file("a/.wh.gone", "") + tar_file(".wh.top", "") + tar_end());
  EXPECT_TRUE(is_whiteout("a/gone"));
  EXPECT_TRUE(is_whiteout("top"));
}

TEST_F(UnpackLayerTest, AWhiteoutAndAFileOfOneNameLeaveTheFile) {
  unpack(tar_file(".wh.first", "") + tar_file("first", "new") + tar_file("second", "new") +
         tar_file(".wh.second", "") + tar_end());
  EXPECT_EQ(read_file(tree() / "first"), "new");
  EXPECT_EQ(read_file(tree() / "second"), "new");
}

TEST_F(UnpackLayerTest, AWhiteoutAndAFolderOfOneNameHideWhatLowerLayersHaveInIt) {
  unpack(tar_file(".wh.first", "") + tar_folder("first") + tar_folder("second") +
         tar_file(".wh.second", "") + tar_file(".wh.third", "") + tar_file("third/f", "x") +
         tar_end());
  EXPECT_TRUE(is_opaque("first"));
  EXPECT_TRUE(is_opaque("second"));
  EXPECT_TRUE(is_opaque("third"));
}

TEST_F(UnpackLayerTest, OpaqueMarkersMarkTheirFolder) {
  const UnpackedFacts facts =
      unpack(tar_folder("a") + tar_file("a/.wh..wh..opq", "") + tar_folder("b") + tar_end());
  EXPECT_TRUE(is_opaque("a"));
  EXPECT_FALSE(is_opaque("b"));
  EXPECT_FALSE(facts.hides_everything_below);
  EXPECT_EQ(sorted_names(tree() / "a"), std::vector<std::string>{});
}

TEST_F(UnpackLayerTest, AnOpaqueRootIsAFact) {
  EXPECT_TRUE(unpack(tar_file(".wh..wh..opq", "") + tar_end()).hides_everything_below);
}

TEST_F(UnpackLayerTest, DevicesAndFifosAreNamedAndNotMade) {
  std::string tar = tar_block({.name = "disk", .type = '4'}) +
                    tar_block({.name = "null", .type = '3'}) +
                    tar_block({.name = "pipe", .type = '6'});
  for (int i = 0; i < 100; ++i) {
    tar += tar_block({.name = "more" + std::to_string(i), .type = '6'});
  }
  const UnpackedFacts facts = unpack(tar + tar_end());
  EXPECT_EQ(facts.not_made_count, 103u);
  ASSERT_EQ(facts.not_made.size(), kMostNotMade);
  EXPECT_EQ(facts.not_made[0], "'disk' is a block device");
  EXPECT_EQ(facts.not_made[1], "'null' is a character device");
  EXPECT_EQ(facts.not_made[2], "'pipe' is a fifo");
  EXPECT_TRUE(sorted_names(tree()).empty());
}

TEST_F(UnpackLayerTest, ExtendedAttributesOfTheLayerAreNotKept) {
  unpack(pax_block(pax_record("SCHILY.xattr.user.overlay.opaque", "y") +
                   pax_record("SCHILY.xattr.user.overlay.redirect", "/etc")) +
         tar_folder("a") + tar_end());
  char value[16];
  EXPECT_LT(getxattr((tree() / "a").c_str(), "user.overlay.opaque", value, sizeof value), 0);
  EXPECT_LT(getxattr((tree() / "a").c_str(), "user.overlay.redirect", value, sizeof value), 0);
}

TEST_F(UnpackLayerTest, AnotherDiffIdIsAnIntegrityError) {
  const std::string tar = tar_file("a", "x") + tar_end();
  try {
    unpack(tar, DiffId(Digest::of("other")));
    FAIL();
  } catch (const IntegrityError& error) {
    EXPECT_EQ(error.render(), "error: layer 'sha256:abc' has another DiffID\n  expected: " +
                                  Digest::of("other").str() +
                                  "   (the image's config)\n  got:      " + Digest::of(tar).str() +
                                  "   (sha256 of its plain tar)");
  }
}

TEST_F(UnpackLayerTest, AFullDiskIsUnavailable) {
  UnpackLimits limits;
  limits.keep_free = UINT64_MAX;
  const std::string text = error_of<UnavailableError>(tar_file("a", "x") + tar_end(), limits);
  EXPECT_EQ(text.substr(0, text.find("  free:")),
            "error: cannot unpack layer 'sha256:abc': No space left on device\n");
  EXPECT_NE(text.find("hint: make room, or name a folder on a larger disk: --cache-dir"),
            std::string::npos);
}

TEST_F(UnpackLayerTest, TooManyEntriesAreRefused) {
  UnpackLimits limits;
  limits.layer_entries = 2;
  EXPECT_EQ(error_of<InputError>(
                tar_file("a", "") + tar_file("b", "") + tar_file("c", "") + tar_end(), limits),
            "error: the archive has more than 2 entries\n  while: reading 'sha256:abc'");
}

TEST_F(UnpackLayerTest, TooManyBytesAreRefused) {
  UnpackLimits limits;
  limits.layer_bytes = 4000;
  EXPECT_EQ(error_of<InputError>(tar_file("a", std::string(9000, 'x')) + tar_end(), limits),
            "error: the archive has more than 4,000 bytes\n  while: reading 'sha256:abc'");
}

TEST_F(UnpackLayerTest, TheLimitOfAnImageHoldsForItsLayersTogether) {
  const std::string tar = tar_file("a", std::string(600, 'x')) + tar_end();
  std::atomic<std::uint64_t> total{500};
  const SafeFolder target(tree());
  ViewSource source{as_bytes(tar)};
  UnpackRequest request{.target = target,
                        .name = "sha256:abc",
                        .diff_id = DiffId(Digest::of(tar)),
                        .packed_size = tar.size(),
                        .image_bytes = &total};
  request.limits.image_bytes = 1000;
  try {
    unpack_layer(source, request);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "the image unpacks to more than 1,000 bytes");
  }
}

TEST_F(UnpackLayerTest, ABombIsRefusedByItsRatio) {
  UnpackLimits limits;
  limits.ratio_floor = 1 << 20;
  limits.ratio = 10;
  const std::string tar = tar_file("zeros", std::string(8 << 20, '\0')) + tar_end();
  const SafeFolder target(tree());
  ViewSource source{as_bytes(tar)};
  try {
    unpack_layer(source, {.target = target,
                          .name = "sha256:abc",
                          .diff_id = DiffId(Digest::of(tar)),
                          .packed_size = 1000,
                          .limits = limits});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.render(),
              "error: layer 'sha256:abc' unpacks to too much\n  packed: 1,000 bytes\n  limit:  10 "
              "times that\n  while: reading 'sha256:abc'");
  }
}

}  // namespace
}  // namespace img
