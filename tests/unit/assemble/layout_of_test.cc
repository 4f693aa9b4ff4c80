// SPDX-License-Identifier: Apache-2.0
// Blobs of the store in a layout: all layers, and known as good whatever becomes of their links.
#include "builder/assemble/assemble.h"

#include <gtest/gtest.h>

namespace img {
namespace {

class LayoutOf : public ::testing::Test {
 protected:
  /// A layer whose stamp vouches for bytes that are not what its digest says: whoever hashes it
  /// finds it bad.
  BuiltLayer layer(const std::string& name, bool of_base) {
    const Digest digest = Digest::of("right " + name);
    const auto writer = store_.writer();
    writer->write(as_bytes("wrong " + name));
    writer->commit(digest);
    return {
        .described = {.layer = {.descriptor = {.media_type = MediaType::layer(Compression::gzip),
                                               .digest = digest,
                                               .size = name.size() + 6},
                                .diff_id = DiffId(digest)},
                      .recipe = nullptr,
                      .title = name},
        .of_base = of_base};
  }

  static BuiltImage image(std::vector<BuiltLayer> layers) {
    const std::string config = "{}", manifest = "{\"m\":1}";
    return {.layers = std::move(layers),
            .documents = {.config = {},
                          .config_json = config,
                          .manifest_json = manifest,
                          .index_json = "{\"i\":1}",
                          .manifest = {.media_type = MediaType::manifest(),
                                       .digest = Digest::of(manifest),
                                       .size = manifest.size()}}};
  }

  TempDir folder_{fs::temp_directory_path(), "layout-of-test-"};
  Store store_{folder_.path() / "store"};
  fs::path output_ = folder_.path() / "out";
};

TEST_F(LayoutOf, HoldsTheLayersOfTheBaseToo) {
  const BuiltImage built = image({layer("base", true), layer("own", false)});
  const LayoutImage layout = layout_of(built, BuildManifest{}, store_);
  EXPECT_EQ(layout.layers,
            (std::vector<Digest>{Digest::of("right base"), Digest::of("right own")}));
  EXPECT_EQ(layout.blobs.size(), 4u);  // and the two documents
}

TEST_F(LayoutOf, BlobsAreNotHashedAgainAfterTheImageIsReplacedOrRemoved) {
  const BuiltImage built = image({layer("own", false)});
  const Digest& digest = built.layers[0].described.layer.descriptor.digest;
  const auto write = [&] {
    write_layout(layout_of(built, BuildManifest{}, store_), output_, LayoutFormat::directory);
  };
  write();
  fs::remove_all(output_);
  EXPECT_TRUE(store_.contains(digest)) << "hashed after the image was removed";
  write();
  write();
  EXPECT_TRUE(store_.contains(digest)) << "hashed after the image was replaced";
  fs::remove_all(output_);
  EXPECT_TRUE(store_.contains(digest)) << "hashed after the replaced image was removed";
}

}  // namespace
}  // namespace img
