// SPDX-License-Identifier: Apache-2.0
// What a call throws, as the user reads it.
#pragma once

#include "builder/base/error.h"

#include <filesystem>
#include <string>

namespace img::test {

/// The rendered error of kind `Expected` that `body` throws; "nothing was thrown" otherwise. Other
/// kinds pass through.
template <typename Expected, typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Expected& error) {
    return error.render();
  }
  return "nothing was thrown";
}

inline std::filesystem::path data_folder() { return std::filesystem::path(IMG_TEST_DATA); }

}  // namespace img::test
