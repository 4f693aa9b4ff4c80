// SPDX-License-Identifier: Apache-2.0
// Media types: what they name and which compression they imply.
#include "builder/oci/media_type.h"

#include <array>

namespace img {
namespace {

constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";

struct LayerType {
  std::string_view text;
  Compression compression;
};
// The first of each compression is the one that we write. Docker has no zstd layers.
constexpr std::array kLayerTypes = {
    LayerType{"application/vnd.oci.image.layer.v1.tar", Compression::none},
    LayerType{"application/vnd.oci.image.layer.v1.tar+gzip", Compression::gzip},
    LayerType{"application/vnd.oci.image.layer.v1.tar+zstd", Compression::zstd},
    LayerType{"application/vnd.oci.image.layer.nondistributable.v1.tar", Compression::none},
    LayerType{"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", Compression::gzip},
    LayerType{"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", Compression::zstd},
    LayerType{"application/vnd.docker.image.rootfs.diff.tar", Compression::none},
    LayerType{"application/vnd.docker.image.rootfs.diff.tar.gzip", Compression::gzip},
    LayerType{"application/vnd.docker.image.rootfs.foreign.diff.tar", Compression::none},
    LayerType{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Compression::gzip},
};

}  // namespace

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::none:
      return "none";
    case Compression::gzip:
      return "gzip";
    case Compression::zstd:
      return "zstd";
  }
  return "none";
}

std::optional<Compression> parse_compression(std::string_view text) {
  if (text == "gzip") return Compression::gzip;
  if (text == "zstd") return Compression::zstd;
  return std::nullopt;
}

bool MediaType::is_index() const { return text_ == kOciIndex || text_ == kDockerList; }
bool MediaType::is_manifest() const { return text_ == kOciManifest || text_ == kDockerManifest; }
bool MediaType::is_config() const { return text_ == kOciConfig || text_ == kDockerConfig; }
bool MediaType::is_layer() const { return compression().has_value(); }

std::optional<Compression> MediaType::compression() const {
  for (const LayerType& type : kLayerTypes) {
    if (type.text == text_) return type.compression;
  }
  return std::nullopt;
}

MediaType MediaType::index() { return MediaType(std::string(kOciIndex)); }
MediaType MediaType::manifest() { return MediaType(std::string(kOciManifest)); }
MediaType MediaType::config() { return MediaType(std::string(kOciConfig)); }

MediaType MediaType::layer(Compression compression) {
  for (const LayerType& type : kLayerTypes) {
    if (type.compression == compression) return MediaType(std::string(type.text));
  }
  return MediaType(std::string(kLayerTypes.front().text));
}

}  // namespace img
