// SPDX-License-Identifier: Apache-2.0
// A base image enters the store verified, or not at all.
#include "builder/assemble/base_image.h"

#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "tests/support/small_image.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using img::testing::SmallImage;

constexpr const char* kPasswd = "root:x:0:0::/root:/bin/sh\n";
constexpr const char* kGroup = "root:x:0:\n";

class BaseImageTest : public ::testing::Test {
 protected:
  BaseImageTest() { create_folders(folder_.path() / "blobs"); }

  /// A layout with two layers.
  OciSpec base() {
    SmallImage image(folder_.path() / "blobs", Compression::gzip);
    image.add_layer("etc/passwd", kPasswd);
    image.add_layer("etc/group", kGroup);
    write_layout(image.finish("1"), layout(), LayoutFormat::directory);
    layers_ = image.layers();
    return spec(image.manifest().digest);
  }
  OciSpec spec(const Digest& digest) const {
    return {.layout = layout().string(), .digest = digest.str()};
  }
  fs::path layout() const { return folder_.path() / "base"; }
  BaseImage import(const OciSpec& spec) {
    return import_base_image(spec, {"linux", "amd64", ""}, store_);
  }
  template <typename Kind>
  std::string refusal(const OciSpec& spec) {
    try {
      import(spec);
    } catch (const Kind& error) {
      return error.render();
    }
    return "nothing was thrown";
  }

  TempDir folder_{fs::temp_directory_path(), "base-image-test-"};
  Store store_{folder_.path() / "store"};
  std::vector<Descriptor> layers_;
};

TEST_F(BaseImageTest, TakesLayersOverByteForByteWithTheirSizes) {
  const BaseImage image = import(base());
  EXPECT_EQ(image.descriptors().size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(image.layers[i].descriptor.digest, layers_[i].digest);
    EXPECT_EQ(image.layers[i].diff_id, image.config.diff_ids[i]);
    EXPECT_TRUE(store_.contains(layers_[i].digest));
    const auto packed = store_.open(layers_[i].digest);
    const auto plain = open_decompressed(*packed, Compression::gzip);
    EXPECT_EQ(read_all(*plain, 1 << 20, "layer").size(), image.layers[i].uncompressed_size);
  }
}

TEST_F(BaseImageTest, RemembersWhatItHasProven) {
  const OciSpec spec = base();
  const BaseImage first = import(spec);
  fs::remove_all(layout() / "blobs/sha256" / std::string(layers_[0].digest.hex()));
  const BaseImage second = import(spec);  // the layer is in the store, so it is not read again
  EXPECT_EQ(second.layers[0].uncompressed_size, first.layers[0].uncompressed_size);
}

TEST_F(BaseImageTest, RefusesADigestThatTheLayoutDoesNotHold) {
  base();
  const std::string other = Digest::of("other").str();
  EXPECT_EQ(refusal<IntegrityError>(spec(Digest::of("other"))),
            "error: '" + layout().string() +
                "' does not hold the base image that the recipe names\n"
                "  expected: " +
                other +
                "   (digest of the recipe)\n"
                "  while: importing base image '" +
                layout().string() + "'");
}

TEST_F(BaseImageTest, RefusesALayerWithOtherBytes) {
  const OciSpec spec = base();
  const fs::path blob = layout() / "blobs/sha256" / std::string(layers_[0].digest.hex());
  std::string bytes = read_file(blob);
  bytes[bytes.size() / 2] ^= 1;
  fs::remove(blob);
  write_file(blob, bytes);
  EXPECT_NE(refusal<IntegrityError>(spec).find(layers_[0].digest.str()), std::string::npos);
  EXPECT_FALSE(store_.contains(layers_[0].digest));
}

TEST_F(BaseImageTest, RefusesADiffIdThatTheLayerDoesNotHave) {
  SmallImage image(folder_.path() / "blobs", Compression::gzip);
  image.add_layer("a", "1");
  LayoutImage lying = image.finish("1");
  const auto add = [&](MediaType type, const Json& document) {
    const std::string bytes = canonical_json(document);
    lying.blobs.push_back({.digest = Digest::of(bytes), .size = bytes.size(), .bytes = bytes});
    return Descriptor{std::move(type), Digest::of(bytes), bytes.size()};
  };
  ImageConfig config;
  config.platform = {"linux", "amd64", ""};
  config.diff_ids = {DiffId(Digest::of("wrong"))};
  config.history = {{.created_by = "test"}};
  Descriptor manifest =
      add(MediaType::manifest(),
          to_json(ImageManifest{add(MediaType::config(), to_json(config)), image.layers(), {}}));
  manifest.platform = config.platform;
  lying.index_json = canonical_json(to_json(ImageIndex{{manifest}, {}}));
  write_layout(lying, layout(), LayoutFormat::directory);
  const std::string text = refusal<IntegrityError>(spec(manifest.digest));
  const std::string expected =
      "error: layer '" + image.layers()[0].digest.str() +
      "' of the base image has another DiffID\n  expected: " + config.diff_ids[0].str() +
      "   (rootfs.diff_ids of the image config)\n  got:";
  EXPECT_TRUE(text.starts_with(expected)) << text;
}

TEST_F(BaseImageTest, ReadsAccountFilesOnceAndRemembersThem) {
  const BaseImage image = import(base());
  const auto accounts = accounts_of_base(image, store_);
  ASSERT_TRUE(accounts.has_value());
  EXPECT_EQ(accounts->passwd, kPasswd);
  EXPECT_EQ(accounts->group, kGroup);
  for (const Descriptor& layer : layers_) fs::remove(store_.blob_path(layer.digest));
  EXPECT_EQ(accounts_of_base(image, store_)->passwd, kPasswd);
}

TEST_F(BaseImageTest, ABaseWithoutAccountFilesHasNone) {
  SmallImage image(folder_.path() / "blobs", Compression::gzip);
  image.add_layer("etc/hostname", "x");
  write_layout(image.finish("1"), layout(), LayoutFormat::directory);
  const BaseImage base = import(spec(image.manifest().digest));
  EXPECT_FALSE(accounts_of_base(base, store_).has_value());
  EXPECT_FALSE(accounts_of_base(base, store_).has_value());
}

}  // namespace
}  // namespace img
