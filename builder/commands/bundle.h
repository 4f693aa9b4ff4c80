// SPDX-License-Identifier: Apache-2.0
// The validator bundle on this machine: where it is, which one it is, and as a layer of an image.
#pragma once

#include "builder/base/file.h"
#include "builder/manifest/build_manifest.h"
#include "builder/oci/digest.h"

#include <optional>
#include <string>

namespace img {

/// Where `selftest: true` puts it in an image.
inline constexpr const char* kBundleFolder = "/opt/imgcheck";

/// The flag, else $IMGCHECK_BUNDLE, else the one that was built with this program.
/// UnavailableError when there is none.
fs::path find_bundle(const std::string& flag);

/// sha256 over the lines "sha256  name" of its files in byte order of the names, as ci/bundle
/// prints it. InputError when something else than files lies in it.
Digest bundle_digest(const fs::path& folder);

/// The bundle that a lock for this manifest must name: nullopt without `selftest: true`.
std::optional<Digest> wanted_bundle(const BuildManifest& manifest);

/// The manifest with the bundle as its last layer, when it asks for that. UnavailableError when
/// the bundle here is not the locked one.
BuildManifest with_selftest(const BuildManifest& manifest, const std::optional<Digest>& locked);

}  // namespace img
