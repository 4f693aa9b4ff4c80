// SPDX-License-Identifier: Apache-2.0
// Media types: which kind they name and which compression they imply.
#include "builder/oci/media_type.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(MediaType, written_layer_types_are_those_of_the_spec) {
  EXPECT_EQ(MediaType::layer(Compression::gzip).str(),
            "application/vnd.oci.image.layer.v1.tar+gzip");
  EXPECT_EQ(MediaType::layer(Compression::zstd).str(),
            "application/vnd.oci.image.layer.v1.tar+zstd");
  EXPECT_EQ(MediaType::layer(Compression::none).str(), "application/vnd.oci.image.layer.v1.tar");
}

TEST(MediaType, layer_types_imply_a_compression) {
  for (Compression compression : {Compression::none, Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(MediaType::layer(compression).compression(), compression);
    EXPECT_TRUE(MediaType::layer(compression).is_layer());
  }
  EXPECT_EQ(MediaType("application/vnd.docker.image.rootfs.diff.tar.gzip").compression(),
            Compression::gzip);
}

TEST(MediaType, docker_has_no_zstd_layers) {
  EXPECT_FALSE(MediaType("application/vnd.docker.image.rootfs.diff.tar.zstd").is_layer());
}

TEST(MediaType, kinds_do_not_overlap) {
  const MediaType types[] = {MediaType::index(), MediaType::manifest(), MediaType::config(),
                             MediaType::layer(Compression::zstd)};
  for (const MediaType& type : types) {
    EXPECT_EQ(type.is_index() + type.is_manifest() + type.is_config() + type.is_layer(), 1)
        << type.str();
  }
}

TEST(MediaType, unknown_types_are_kept) {
  const MediaType type("application/spdx+json");
  EXPECT_EQ(type.str(), "application/spdx+json");
  EXPECT_FALSE(type.is_layer() || type.is_config() || type.is_manifest() || type.is_index());
}

TEST(Compression, only_written_ones_parse) {
  EXPECT_EQ(parse_compression("gzip"), Compression::gzip);
  EXPECT_EQ(parse_compression("zstd"), Compression::zstd);
  EXPECT_FALSE(parse_compression("none"));
  EXPECT_FALSE(parse_compression("GZIP"));
}

}  // namespace
}  // namespace img
