// SPDX-License-Identifier: Apache-2.0
// Which files of an image are parts of the GPU driver, its stubs, or its forward-compatibility set.
#pragma once

#include "validators/checks/check.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

/// By name: user-mode libraries and programs that come with the kernel module and must match it.
bool is_driver_file(std::string_view path);
/// In a folder "stubs": for linking only.
bool is_stub_path(std::string_view path);
/// In a folder "compat" or "compat_orin": the toolkit decides when it is used.
bool is_compat_path(std::string_view path);

/// Folders in which loaders look before or beside the default ones: LD_LIBRARY_PATH and ld.so.conf,
/// with where each was named.
struct SearchFolder {
  std::string folder, named_by;
};
std::vector<SearchFolder> search_folders(const ImageView& view);

}  // namespace img
