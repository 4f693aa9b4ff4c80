// SPDX-License-Identifier: Apache-2.0
// Dropping files from the page cache.
#pragma once

#include "builder/base/file.h"

namespace img {

/// Writes what is not on the disk yet, then asks the kernel to forget the contents of every regular
/// file below `folder` (posix_fadvise). Links are not followed; files that cannot be opened stay.
void drop_from_page_cache(const fs::path& folder);

}  // namespace img
