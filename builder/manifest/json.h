// SPDX-License-Identifier: Apache-2.0
// A manifest as JSON, for people and for the checksum.
#pragma once

#include "builder/base/json.h"
#include "builder/manifest/build_manifest.h"

namespace img {

/// Every field, always present (null or empty when not given). Local paths are as written, so that
/// only "file" of the manifest and of its recipes says where it was read.
Json to_json(const BuildManifest& manifest);

}  // namespace img
