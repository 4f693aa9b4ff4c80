// SPDX-License-Identifier: Apache-2.0
// What a base image (kind oci) says about itself and about the system that wheels will run on.
#pragma once

#include "builder/base/stream.h"
#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// The base's own date (RFC 3339), empty when its config has none.
std::string created_of_base_image(const OciSpec& spec);

/// Versions of the libraries that the base must bring for wheels, read from the files themselves.
struct BaseLibraries {
  std::string glibc;           ///< "2.36"
  std::optional<int> glibcxx;  ///< 30: its libstdc++ has the symbols of GLIBCXX_3.4.30 and older
};
/// ManifestError when the base has no glibc that can be read.
BaseLibraries libraries_of_base_image(const Recipe& recipe, const OciSpec& spec);

/// ManifestError naming the wheel when the base has no libstdc++, or one that is older than the
/// platform tag of a wheel allows the wheel to need. Wheels for any platform need none.
void require_libstdcxx(const Recipe& recipe, const OciSpec& spec, const BaseLibraries& base,
                       const std::vector<LockedWheel>& wheels);

/// "2.36" from the bytes of a libc.so.6 ("… stable release version 2.36"); empty when they do not
/// say.
std::string glibc_version_in(Source& library);
/// 30 from the bytes of a libstdc++.so.6 whose newest symbols are of GLIBCXX_3.4.30.
std::optional<int> glibcxx_version_in(Source& library);

}  // namespace img
