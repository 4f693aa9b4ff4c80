// SPDX-License-Identifier: Apache-2.0
// What differs between two images, from the index down to one field of one entry.
#pragma once

#include "builder/layout/image_layout.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace img {

/// One difference. Empty text means "not there".
struct ImageDifference {
  std::string level;  ///< "index", "manifest", "config", "layer", "entry"
  std::string where;  ///< e.g. "layers[3]" or "layers[3] opt/venv/bin/python3"
  std::string field;  ///< e.g. "config.Env[2]", "mode", "content"
  std::string left, right;
};

/// Entries of one pair of layers.
struct LayerDifference {
  std::size_t index = 0;
  std::string left, right;  ///< DiffIDs, empty when that side has no such layer
  std::uint64_t added = 0, removed = 0, changed = 0, equal = 0;  ///< entries; added: only right
  bool same_content = false;  ///< equal DiffIDs: only the compression differs
};

struct ImageDiff {
  /// In reading order: the first one is the first difference. At most `limit` of options; `total`
  /// counts all.
  std::vector<ImageDifference> differences;
  std::uint64_t total = 0;
  std::vector<LayerDifference> layers;  ///< only pairs that differ
  bool same() const { return total == 0; }
};

struct ImageDiffOptions {
  std::string left_reference, right_reference;
  std::size_t limit = 100;
  std::function<void(const std::string&)> on_layer = nullptr;  ///< before a pair is read
};

/// Layers are paired by position and read only where their digests differ.
ImageDiff diff_images(LayoutReader& left, LayoutReader& right, const ImageDiffOptions& options);

}  // namespace img
