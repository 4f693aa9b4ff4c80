// SPDX-License-Identifier: Apache-2.0
// What a base image (kind oci) says about the system that wheels will run on.
#pragma once

#include "builder/base/stream.h"
#include "builder/manifest/build_manifest.h"

#include <string>
#include <string_view>

namespace img {

/// Version of the C library in the base image, read from libc.so.6 itself: "2.36". ManifestError
/// when it has none that can be read.
std::string glibc_of_base_image(const Recipe& recipe, const OciSpec& spec);

/// "2.36" from the bytes of a libc.so.6 ("… stable release version 2.36"); empty when they do not
/// say.
std::string glibc_version_in(Source& library);

}  // namespace img
