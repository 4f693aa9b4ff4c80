// SPDX-License-Identifier: Apache-2.0
// What differs between two images, from the documents down to a field of an entry.
#include "builder/layout/image_diff.h"

#include "tests/support/small_image.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using img::testing::SmallImage;

class ImageDiffTest : public ::testing::Test {
 protected:
  std::unique_ptr<LayoutReader> image(
      const std::string& name, const std::vector<std::pair<std::string, std::string>>& layers,
      Compression compression = Compression::gzip, const std::string& tag = "1") {
    const fs::path folder = folder_.path() / name;
    create_folders(folder / "blobs");
    SmallImage small(folder / "blobs", compression);
    for (const auto& [path, text] : layers) small.add_layer(path, text);
    write_layout(small.finish(tag), folder / "image", LayoutFormat::directory);
    return LayoutReader::open(folder / "image");
  }
  static const ImageDifference* find(const ImageDiff& diff, const std::string& level,
                                     const std::string& field) {
    for (const ImageDifference& d : diff.differences) {
      if (d.level == level && d.field == field) return &d;
    }
    return nullptr;
  }

  TempDir folder_{fs::temp_directory_path(), "image-diff-test-"};
};

TEST_F(ImageDiffTest, EqualImagesAreTheSameAndNoLayerIsRead) {
  const auto a = image("a", {{"etc/x", "1"}}), b = image("b", {{"etc/x", "1"}});
  std::vector<std::string> read;
  const ImageDiff diff = diff_images(
      *a, *b, {.left_reference = {}, .right_reference = {}, .on_layer = [&](const std::string& l) {
                 read.push_back(l);
               }});
  EXPECT_TRUE(diff.same());
  EXPECT_TRUE(diff.differences.empty());
  EXPECT_TRUE(diff.layers.empty());
  EXPECT_TRUE(read.empty());
}

TEST_F(ImageDiffTest, NamesTheFieldOfTheEntryThatDiffers) {
  const auto a = image("a", {{"etc/same", "0"}, {"etc/x", "1"}});
  const auto b = image("b", {{"etc/same", "0"}, {"etc/x", "2"}});
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  const ImageDifference* content = find(diff, "entry", "content");
  ASSERT_NE(content, nullptr);
  EXPECT_EQ(content->where, "layers[1] etc/x");
  EXPECT_EQ(content->left, Digest::of("1").str());
  EXPECT_EQ(content->right, Digest::of("2").str());
  EXPECT_EQ(find(diff, "entry", "size"), nullptr);
  ASSERT_EQ(diff.layers.size(), 1u);
  EXPECT_EQ(diff.layers[0].index, 1u);
  EXPECT_EQ(diff.layers[0].changed, 1u);
  EXPECT_EQ(diff.layers[0].equal, 1u);  // the folder
  EXPECT_EQ(diff.layers[0].added + diff.layers[0].removed, 0u);
  EXPECT_FALSE(diff.layers[0].same_content);
}

TEST_F(ImageDiffTest, GoesFromTheIndexToTheEntries) {
  const auto a = image("a", {{"x", "1"}}), b = image("b", {{"x", "2"}});
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  std::vector<std::string> levels;
  for (const ImageDifference& d : diff.differences) {
    if (levels.empty() || levels.back() != d.level) levels.push_back(d.level);
  }
  EXPECT_EQ(levels, (std::vector<std::string>{"index", "manifest", "config", "entry"}));
  const ImageDifference* diff_id = find(diff, "config", "rootfs.diff_ids[0]");
  ASSERT_NE(diff_id, nullptr);
  EXPECT_EQ(diff_id->left, diff.layers[0].left);
}

TEST_F(ImageDiffTest, CountsAddedAndRemovedEntries) {
  const auto a = image("a", {{"old", "1"}}), b = image("b", {{"new", "1"}});
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  EXPECT_EQ(diff.layers[0].added, 1u);
  EXPECT_EQ(diff.layers[0].removed, 1u);
  std::vector<std::string> lines;
  for (const ImageDifference& d : diff.differences) {
    if (d.level == "entry") lines.push_back(d.where + ": " + d.left + " / " + d.right);
  }
  EXPECT_EQ(lines,
            (std::vector<std::string>{"layers[0] new:  / there", "layers[0] old: there / "}));
}

TEST_F(ImageDiffTest, SeesALayerThatOnlyOneImageHas) {
  const auto a = image("a", {{"x", "1"}}), b = image("b", {{"x", "1"}, {"y", "2"}});
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  ASSERT_EQ(diff.layers.size(), 1u);
  EXPECT_EQ(diff.layers[0].index, 1u);
  EXPECT_EQ(diff.layers[0].left, "");
  EXPECT_EQ(diff.layers[0].added, 1u);
}

TEST_F(ImageDiffTest, TellsAnotherCompressionFromOtherContent) {
  const auto a = image("a", {{"x", "1"}}, Compression::gzip);
  const auto b = image("b", {{"x", "1"}}, Compression::zstd);
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  ASSERT_EQ(diff.layers.size(), 1u);
  EXPECT_TRUE(diff.layers[0].same_content);
  EXPECT_NE(find(diff, "layer", "compression"), nullptr);
  EXPECT_EQ(find(diff, "entry", "content"), nullptr);
}

TEST_F(ImageDiffTest, KeepsTheFirstDifferencesAndCountsAll) {
  const auto a = image("a", {{"x", "1"}}), b = image("b", {{"x", "22"}});
  const ImageDiff all = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  const ImageDiff few =
      diff_images(*a, *b, {.left_reference = {}, .right_reference = {}, .limit = 1});
  ASSERT_EQ(few.differences.size(), 1u);
  EXPECT_EQ(few.differences[0].field, all.differences[0].field);
  EXPECT_EQ(few.total, all.total);
  EXPECT_EQ(all.total, all.differences.size());
}

TEST_F(ImageDiffTest, ATagIsADifferenceOfTheIndexOnly) {
  const auto a = image("a", {{"x", "1"}}, Compression::gzip, "1");
  const auto b = image("b", {{"x", "1"}}, Compression::gzip, "2");
  const ImageDiff diff = diff_images(*a, *b, {.left_reference = {}, .right_reference = {}});
  ASSERT_EQ(diff.total, 1u);
  EXPECT_EQ(diff.differences[0].level, "index");
  EXPECT_EQ(diff.differences[0].field,
            "manifests[0].annotations.org.opencontainers.image.ref.name");
}

}  // namespace
}  // namespace img
