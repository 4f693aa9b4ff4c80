// SPDX-License-Identifier: Apache-2.0
// Whether the user that an image runs as exists in it.
#pragma once

#include "builder/assemble/files_tree.h"
#include "builder/manifest/build_manifest.h"

#include <optional>
#include <string>

namespace img {

/// Compares `config.user` ("name", "uid", each with an optional ":group") with the account files
/// of the finished image. A name that is not there is a ManifestError: no runtime can start such an
/// image. A number that is not there can be run, but programs that ask who they are fail: the
/// warning that says so is returned, empty when all is well.
std::string check_user(const ConfigSpec& config, const std::optional<Accounts>& accounts);

}  // namespace img
