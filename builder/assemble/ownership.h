// SPDX-License-Identifier: Apache-2.0
// Two wheels that own one path: shared when the bytes are equal, decided by `prefer:`, else an
// error.
#pragma once

#include "builder/inputs/wheel.h"
#include "builder/inputs/wheel_install.h"
#include "builder/manifest/build_manifest.h"

#include <map>
#include <string>
#include <vector>

namespace img {

/// One opened wheel of the image and the recipe that installs it.
struct OwnedWheel {
  const Wheel* wheel = nullptr;
  const Recipe* recipe = nullptr;
};

/// Per wheel file name: the paths that another wheel brings instead, as drop rules.
using YieldedPaths = std::map<std::string, std::vector<DropRule>>;

/// Compares what all wheels of an image install (installed_files, by RECORD's hashes). InputError
/// naming both wheels, the number of contested paths and one example when bytes differ and no
/// `prefer:` of any recipe decides. Also holds that every `drop:` and `prefer:` rule of a wheels
/// recipe applies to something (ManifestError otherwise).
YieldedPaths check_ownership(const std::vector<OwnedWheel>& wheels,
                             const std::vector<const Recipe*>& recipes,
                             const InstallTarget& target);

}  // namespace img
