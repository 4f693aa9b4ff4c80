// SPDX-License-Identifier: Apache-2.0
// Small images made of raw tars, the wrong ones too, in a folder that goes away.
#pragma once

#include "builder/base/file.h"
#include "builder/layout/image_layout.h"
#include "tests/support/tar_blocks.h"
#include "validators/image/image_facts.h"

#include <zstd.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace img::testing {

inline std::string zstd_bytes(const std::string& plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1);
  if (ZSTD_isError(size) != 0) throw std::runtime_error("ZSTD_compress");
  packed.resize(size);
  return packed;
}

/// A tar of blocks with its end mark.
inline std::string tar_of(const std::vector<TarBlock>& blocks) {
  std::string text;
  for (const TarBlock& block : blocks) text += tar_block(block);
  return text + tar_end();
}

inline TarBlock folder_block(const std::string& name) {
  return {.name = name, .type = '5', .mode_field = "0000755"};
}
inline TarBlock file_block(const std::string& name, const std::string& body) {
  return {.name = name, .body = body};
}
inline TarBlock link_block(const std::string& name, const std::string& target) {
  return {.name = name, .type = '2', .link = target};
}
inline TarBlock hard_link_block(const std::string& name, const std::string& target) {
  return {.name = name, .type = '1', .link = target};
}

class ImageWorld {
 public:
  const fs::path& folder() const { return dir_.path(); }
  fs::path layout() const { return dir_.path() / "image"; }

  /// A layer of this tar, bottom to top.
  void add_tar(const std::string& tar) { add_packed(zstd_bytes(tar), tar); }
  void add(const std::vector<TarBlock>& blocks) { add_tar(tar_of(blocks)); }
  /// A layer of these stored bytes; its DiffID is that of `plain`.
  void add_packed(const std::string& packed, const std::string& plain,
                  Compression compression = Compression::zstd) {
    const Descriptor layer{MediaType::layer(compression), Digest::of(packed), packed.size()};
    layers_.push_back(layer);
    packed_.push_back(packed);
    config.diff_ids.emplace_back(Digest::of(plain));
  }

  void write(LayoutFormat format = LayoutFormat::directory) {
    LayoutImage image{.index_json = {},
                      .reference = "world:1",
                      .config = Digest::of(""),
                      .layers = {},
                      .blobs = {}};
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      image.layers.push_back(layers_[i].digest);
      const fs::path file = dir_.path() / layers_[i].digest.short_hex();
      if (!fs::exists(file)) write_file(file, packed_[i], 0644);
      image.blobs.push_back({.digest = layers_[i].digest, .size = layers_[i].size, .file = file});
    }
    config.platform = {"linux", "amd64", ""};
    const Descriptor config_blob =
        add_bytes(image, MediaType::config(), canonical_json(to_json(config)));
    Descriptor manifest =
        add_bytes(image, MediaType::manifest(),
                  canonical_json(to_json(ImageManifest{config_blob, layers_, {}})));
    manifest.platform = config.platform;
    manifest.annotations["org.opencontainers.image.ref.name"] = "1";
    image.config = config_blob.digest;
    image.index_json = canonical_json(to_json(ImageIndex{{manifest}, {}}));
    remove_tree(layout());
    write_layout(image, layout(), format);
  }

  ImageFacts inspect(unsigned threads = 1) {
    if (!fs::exists(layout())) write();
    return inspect_image(layout(), {.scratch = dir_.path(), .threads = threads});
  }

  const Descriptor& layer(std::size_t i) const { return layers_[i]; }
  fs::path blob(const Digest& digest) const {
    return layout() / "blobs/sha256" / std::string(digest.hex());
  }

  ImageConfig config;

 private:
  static Descriptor add_bytes(LayoutImage& image, MediaType type, const std::string& bytes) {
    Descriptor descriptor{std::move(type), Digest::of(bytes), bytes.size()};
    image.blobs.push_back({.digest = descriptor.digest, .size = bytes.size(), .bytes = bytes});
    return descriptor;
  }

  TempDir dir_{fs::temp_directory_path(), "image-world-"};
  std::vector<Descriptor> layers_;
  std::vector<std::string> packed_;
};

}  // namespace img::testing
