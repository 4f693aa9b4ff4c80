// SPDX-License-Identifier: Apache-2.0
// Config, manifest and index of the image: what the documents say, from manifest, lock and layers.
#pragma once

#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"
#include "builder/oci/image.h"

#include <string>
#include <vector>

namespace img {

/// A finished layer and what it is, bottom to top.
struct DescribedLayer {
  Layer layer;
  const Recipe* recipe = nullptr;
  std::string title;
};

/// What a base image (kind oci) brings along; empty without one.
struct BaseImage {
  ImageConfig config;         ///< env, labels, diff_ids and history of the base
  std::vector<Layer> layers;  ///< taken over byte for byte
  std::string name, digest;
  std::vector<Descriptor> descriptors() const;  ///< of its layers
};

struct ImageDocuments {
  ImageConfig config;
  std::string config_json, manifest_json, index_json;  ///< the bytes that are hashed and written
  Descriptor manifest;
};

/// Environment in the order it is written: base image, PATH, the NVIDIA variables (only for images
/// that promise cuda, cudnn or nccl: NVIDIA_VISIBLE_DEVICES, NVIDIA_DRIVER_CAPABILITIES; with cuda
/// NVIDIA_REQUIRE_CUDA = the minor-version floor of the CUDA major), recipes, manifest; a later
/// value of a name replaces the earlier one in its place.
ImageDocuments make_documents(const BuildManifest& manifest, const LockFile& lock,
                              const std::vector<DescribedLayer>& layers, const BaseImage* base);

}  // namespace img
