// SPDX-License-Identifier: Apache-2.0
// The three JSON documents of an image: index, manifest, config (image-spec), read and written.
#pragma once

#include "builder/oci/descriptor.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// A finished layer: what write_layer and the readers return.
struct Layer {
  Descriptor descriptor;
  DiffId diff_id;
  std::uint64_t uncompressed_size = 0;
};

struct History {
  std::string created;  ///< RFC 3339, empty: absent
  std::string created_by;
  std::string comment;
  bool empty_layer = false;
  std::string author = {};
};

/// config.md; only what images in the field use. Unknown members are kept in `other`.
struct ImageConfig {
  Platform platform;
  std::string created;  ///< RFC 3339, empty: absent
  std::string author;
  std::string user;
  std::vector<std::string> env;  ///< "NAME=value", in order
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::string working_dir;
  std::vector<std::string> volumes;        ///< sorted
  std::vector<std::string> exposed_ports;  ///< sorted
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<DiffId> diff_ids;
  std::vector<History> history;
  Json other = Json::object();         ///< unknown members of the document
  Json other_config = Json::object();  ///< unknown members of its "config" object
};
/// Empty members are left out; members of `other` never replace ours.
Json to_json(const ImageConfig& config);
/// Strict about what it knows: os, architecture and rootfs are required, null is taken for "absent"
/// (as Docker writes it), and a history must have one line with a layer for every diff id.
ImageConfig parse_image_config(std::string_view text, const std::string& document);

struct ImageManifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
};
Json to_json(const ImageManifest& manifest);
/// OCI manifest or Docker v2s2 manifest; a document with both `layers` and `manifests` is refused.
ImageManifest parse_image_manifest(std::string_view text, const std::string& document);

struct ImageIndex {
  std::vector<Descriptor> manifests;  ///< written sorted by platform, then digest
  Annotations annotations;
};
Json to_json(const ImageIndex& index);
ImageIndex parse_image_index(std::string_view text, const std::string& document);

}  // namespace img
