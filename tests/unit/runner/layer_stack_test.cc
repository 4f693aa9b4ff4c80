// SPDX-License-Identifier: Apache-2.0
// Stacked layers are seen as overlayfs shows them.
#include "validators/runner/layer_stack.h"

#include "builder/base/error.h"
#include "tests/support/raw_image.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using namespace testing;  // NOLINT: only what tests make tars of

class LayerStackTest : public ::testing::Test {
 protected:
  LayerStackTest() : dir_(fs::temp_directory_path(), "stack-") {}

  /// Bottom to top; each without its end mark.
  LayerStack stack(const std::vector<std::string>& tars) {
    layers_.clear();
    for (const std::string& entries : tars) {
      const std::string tar = entries + tar_end();
      const fs::path tree = dir_.path() / std::to_string(count_++);
      create_folders(tree);
      const SafeFolder target(tree);
      ViewSource source{as_bytes(tar)};
      layers_.push_back({tree, unpack_layer(source, {.target = target,
                                                     .name = "layer",
                                                     .diff_id = DiffId(Digest::of(tar)),
                                                     .packed_size = tar.size()})});
    }
    return LayerStack(layers_);
  }
  TempDir dir_;
  std::vector<UnpackedLayer> layers_;
  int count_ = 0;
};

TEST_F(LayerStackTest, TheTopmostWinsAndFoldersMerge) {
  const LayerStack s = stack({tar_folder("a") + tar_file("a/x", "") + tar_link("b", "a"),
                              tar_folder("a", "0000700") + tar_file("a/y", "") + tar_folder("b")});
  EXPECT_EQ(s.look("a").kind, PlaceKind::folder);
  EXPECT_EQ(s.look("a").mode, 0700u);
  EXPECT_EQ(s.look("a/x").kind, PlaceKind::other);
  EXPECT_EQ(s.look("a/y").kind, PlaceKind::other);
  EXPECT_EQ(s.look("b").kind, PlaceKind::folder);
  EXPECT_EQ(s.look("c").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("a/x/z").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("").kind, PlaceKind::folder);
}

TEST_F(LayerStackTest, WhiteoutsAndOpaqueFoldersHide) {
  const LayerStack s =
      stack({tar_file("a/x", "") + tar_file("b/x", "") + tar_file("c/d/x", ""),
             tar_file(".wh.a", "") + tar_file("b/.wh..wh..opq", "") + tar_file("c/.wh.d", ""),
             tar_file("c/d/y", "")});
  EXPECT_EQ(s.look("a").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("a/x").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("b").kind, PlaceKind::folder);
  EXPECT_EQ(s.look("b/x").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("c/d/y").kind, PlaceKind::other);
  EXPECT_EQ(s.look("c/d/x").kind, PlaceKind::absent);
}

TEST_F(LayerStackTest, AnOpaqueRootEndsTheStack) {
  const LayerStack s = stack({tar_file("a", ""), tar_file(".wh..wh..opq", "") + tar_file("b", "")});
  EXPECT_EQ(s.look("a").kind, PlaceKind::absent);
  EXPECT_EQ(s.look("b").kind, PlaceKind::other);
  EXPECT_EQ(s.trees().size(), 1u);
}

TEST_F(LayerStackTest, DeclaredAttributesShowThroughImpliedFolders) {
  const LayerStack s =
      stack({tar_folder("tmp", "0001777") + tar_folder("x", "0000711"), tar_file("tmp/f", ""),
             tar_file("tmp/g", "") + tar_folder("x", "0000700")});
  EXPECT_EQ(s.look("tmp").mode, 01777u);
  EXPECT_EQ(s.look("x").mode, 0700u);
  EXPECT_EQ(s.hidden_attributes(), std::vector<std::string>{"tmp"});
}

TEST_F(LayerStackTest, ImpliedFoldersThatNoLowerLayerDeclaresAreLeftAlone) {
  const LayerStack s = stack({tar_file("a/x", "") + tar_folder("o", "0000700"),
                              tar_file("a/b/f", "") + tar_file("o/.wh..wh..opq", "")});
  EXPECT_EQ(s.hidden_attributes(), std::vector<std::string>{});
}

TEST_F(LayerStackTest, ResolvesLinksInsideTheImage) {
  const LayerStack s = stack({tar_folder("usr") + tar_folder("usr/lib") +
                              tar_link("lib", "usr/lib") + tar_link("usr/up", "../../../usr") +
                              tar_link("abs", "/lib/sub") + tar_link("two", "abs")});
  EXPECT_EQ(s.resolve("/lib/x"), "/usr/lib/x");
  EXPECT_EQ(s.resolve("usr/up/lib"), "/usr/lib");
  EXPECT_EQ(s.resolve("/two"), "/usr/lib/sub");
  EXPECT_EQ(s.resolve("/a/../../b/./c//"), "/b/c");
  EXPECT_EQ(s.resolve(""), "/");
}

TEST_F(LayerStackTest, CirclesAndFilesInTheWayAreRefused) {
  const LayerStack s = stack({tar_link("a", "b") + tar_link("b", "a") +
                              tar_link("self", "self/self") + tar_file("file", "")});
  EXPECT_THROW(s.resolve("/a"), InputError);
  EXPECT_THROW(s.resolve("/self/x"), InputError);
  EXPECT_THROW(s.resolve("/file/x"), InputError);
}

}  // namespace
}  // namespace img
