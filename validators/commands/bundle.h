// SPDX-License-Identifier: Apache-2.0
// Where the validator bundle is: the probes that are mounted into images.
#pragma once

#include "builder/base/file.h"

#include <string>

namespace img {

/// The flag, else $IMGCHECK_BUNDLE, else the one that was built with this program.
/// UnavailableError when there is none.
fs::path find_bundle(const std::string& flag);

}  // namespace img
