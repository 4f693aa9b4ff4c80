// SPDX-License-Identifier: Apache-2.0
// The static tier: judges what one pass over an image's bytes found.
#pragma once

#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/compatibility.h"
#include "validators/image/image_facts.h"
#include "validators/judge/expectations.h"
#include "validators/judge/finding.h"

#include <optional>
#include <string>
#include <vector>

namespace img {

/// What is known about an image beside its bytes.
struct StaticInput {
  const ImageFacts& image;
  const BuildManifest* manifest = nullptr;  ///< nullptr: none was given
  const LockFile* lock = nullptr;
  const Compatibility& table;
};

/// What the container tier holds the image against: promises of manifest and lock, and facts of the
/// image itself (where torch is, which file each library would be).
Expectations expectations_of(const StaticInput& input);

/// One result for each check of the tier (those in `only`, all when it is empty). Checks that need
/// a manifest are skipped with that reason when there is none.
std::vector<CheckResult> run_static_tier(const StaticInput& input, const Expectations& expectations,
                                         const std::vector<std::string>& only = {});

}  // namespace img
