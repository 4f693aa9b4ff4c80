// SPDX-License-Identifier: Apache-2.0
// Recognises credentials that should never be in an image.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace img {

/// What was found in the content of `path`, in a few words each ("private key (PEM)"); never the
/// secret itself. Linear in the content.
std::vector<std::string> find_secrets(std::string_view path, std::string_view content);

}  // namespace img
