// SPDX-License-Identifier: Apache-2.0
// An OCI layout made of tars that are taken as they are, the wrong ones too.
#pragma once

#include "builder/base/file.h"
#include "builder/layout/image_layout.h"
#include "tests/support/tar_blocks.h"

#include <memory>
#include <string>
#include <vector>

namespace img::testing {

/// A layout in `<folder>/image` with one layer for each plain tar (uncompressed).
class RawImage {
 public:
  explicit RawImage(fs::path folder) : folder_(std::move(folder) / "image") {
    config.platform = {"linux", "amd64", ""};
    config.env = {"PATH=/usr/bin:/bin"};
    create_folders(folder_ / "blobs/sha256");
  }

  RawImage& layer(const std::string& tar) {
    const Digest digest = Digest::of(tar);
    return layer(tar, digest, DiffId(digest));
  }
  /// Bytes that may be something else than their digests say.
  RawImage& layer(const std::string& bytes, const Digest& digest, const DiffId& diff_id) {
    manifest_.layers.push_back({MediaType::layer(Compression::none), digest, bytes.size()});
    config.diff_ids.push_back(diff_id);
    put(digest, bytes);
    return *this;
  }

  /// The image, ready to be read.
  std::unique_ptr<LayoutReader> open() {
    manifest_.config = put(MediaType::config(), canonical_json(to_json(config)));
    const Descriptor named = put(MediaType::manifest(), canonical_json(to_json(manifest_)));
    write_file(folder_ / "index.json", canonical_json(to_json(ImageIndex{{named}, {}})));
    write_file(folder_ / "oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
    return LayoutReader::open(folder_);
  }

  const fs::path& folder() const { return folder_; }
  ImageConfig config;

 private:
  void put(const Digest& digest, const std::string& bytes) {
    write_file(folder_ / "blobs/sha256" / std::string(digest.hex()), bytes);
  }
  Descriptor put(MediaType type, const std::string& bytes) {
    const Digest digest = Digest::of(bytes);
    put(digest, bytes);
    return {std::move(type), digest, bytes.size()};
  }

  fs::path folder_;
  ImageManifest manifest_{.config = {MediaType::config(), Digest::of(""), 0}};
};

inline std::string tar_folder(const std::string& name, const std::string& mode = "0000755") {
  return tar_block({.name = name + "/", .type = '5', .mode_field = mode});
}
inline std::string tar_file(const std::string& name, const std::string& body,
                            const std::string& mode = "0000644") {
  return tar_block({.name = name, .body = body, .mode_field = mode});
}
inline std::string tar_link(const std::string& name, const std::string& target) {
  return tar_block({.name = name, .type = '2', .link = target});
}
inline std::string tar_hard_link(const std::string& name, const std::string& target) {
  return tar_block({.name = name, .type = '1', .link = target});
}

}  // namespace img::testing
