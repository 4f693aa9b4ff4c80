// SPDX-License-Identifier: Apache-2.0
// A whole small image in a folder, ready for write_layout.
#pragma once

#include "builder/base/file.h"
#include "builder/layer/layer_writer.h"
#include "builder/layout/image_layout.h"

#include <string>
#include <vector>

namespace img::testing {

/// Layers of one file each, written as blob files under `folder`.
class SmallImage {
 public:
  SmallImage(fs::path folder, Compression compression) : folder_(std::move(folder)) {
    config_.platform = {"linux", "amd64", ""};
    config_.env = {"PATH=/usr/bin"};
    compression_ = compression;
  }

  void add_layer(const std::string& path, const std::string& text) {
    Tree tree;
    tree.put(EntryPath::parse(path), Entry::file(literal(text), 0644, "test"));
    tree.seal("test");
    StringSink packed;
    const Layer layer = write_layer(tree, packed, {.compression = compression_});
    const fs::path file = folder_ / ("layer-" + layer.descriptor.digest.short_hex());
    if (!fs::exists(file)) write_file(file, packed.text(), 0444);
    layers_.push_back(layer.descriptor);
    config_.diff_ids.push_back(layer.diff_id);
    image_.layers.push_back(layer.descriptor.digest);
    image_.blobs.push_back(
        {.digest = layer.descriptor.digest, .size = layer.descriptor.size, .file = file});
  }

  LayoutImage finish(const std::string& tag, Platform platform = {"linux", "amd64", ""}) {
    config_.platform = platform;
    const Descriptor config = add_bytes(MediaType::config(), canonical_json(to_json(config_)));
    manifest_ = add_bytes(MediaType::manifest(),
                          canonical_json(to_json(ImageManifest{config, layers_, {}})));
    Descriptor named = manifest_.value();
    named.platform = platform;
    named.annotations["org.opencontainers.image.ref.name"] = tag;
    image_.config = config.digest;
    image_.reference = "small:" + tag;
    image_.index_json = canonical_json(to_json(ImageIndex{{named}, {}}));
    return image_;
  }

  Descriptor add_bytes(MediaType type, const std::string& bytes) {
    Descriptor descriptor{std::move(type), Digest::of(bytes), bytes.size()};
    image_.blobs.push_back({.digest = descriptor.digest, .size = bytes.size(), .bytes = bytes});
    return descriptor;
  }

  const Descriptor& manifest() const { return manifest_.value(); }
  const std::vector<Descriptor>& layers() const { return layers_; }

 private:
  fs::path folder_;
  Compression compression_ = Compression::gzip;
  ImageConfig config_;
  std::vector<Descriptor> layers_;
  std::optional<Descriptor> manifest_;
  LayoutImage image_{
      .index_json = {}, .reference = {}, .config = Digest::of(""), .layers = {}, .blobs = {}};
};

/// One image with two layers.
inline LayoutImage small_image(const fs::path& folder, Compression compression = Compression::gzip,
                               const std::string& text = "hello") {
  SmallImage image(folder, compression);
  image.add_layer("etc/first", text);
  image.add_layer("etc/second", "world");
  return image.finish("1.0");
}

}  // namespace img::testing
