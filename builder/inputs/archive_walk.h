// SPDX-License-Identifier: Apache-2.0
// The door of read_archive for streams that are unpacked already. Private to inputs.
#pragma once

#include "builder/inputs/archive.h"
#include "builder/inputs/decompressor.h"

namespace img {

void walk_archive(Source& plain, const std::string& name, const ArchiveLimits& limits,
                  const std::function<void(const EntryPath&, Entry, Source& body)>& visit);

}  // namespace img
