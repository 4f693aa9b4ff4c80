// SPDX-License-Identifier: Apache-2.0
// Lays the layers of an image over each other: what a container sees, and what it never sees.
#pragma once

#include "validators/image/layer_scan.h"

#include <vector>

namespace img {

/// Fills files, hidden, elf, elf_problems, texts, bytecode, secrets and layers of `facts` from the
/// scans, lowest layer first. Whiteouts and opaque markers of a layer take away what lower layers
/// brought, wherever they stand in its tar. Where an entry lies below what is a symbolic link in a
/// lower layer, the link is followed as containerd and umoci do; other engines put a folder in
/// place of the link, so that is a problem of the layer.
void merge_layers(std::vector<LayerScan> scans, ImageFacts& facts);

}  // namespace img
