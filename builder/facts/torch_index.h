// SPDX-License-Identifier: Apache-2.0
// Which torch wheels an index has for Linux on x86_64.
#pragma once

#include "builder/facts/remote_file.h"
#include "builder/fetch/fetch.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One version of a distribution on an index.
struct IndexedVersion {
  std::string version;
  std::map<std::string, IndexFile> wheels;  ///< "cp311", "cp313t" → wheel
};

/// Final versions (no pre-release, no local label, nothing yanked), oldest first. `files` is a page
/// of the index.
std::vector<IndexedVersion> x86_64_wheels(const std::vector<IndexFile>& files);

/// The page of `project`: addresses in order, each with tries. UnavailableError when none has it.
std::vector<IndexFile> read_project(const Sources& sources, const std::string& project,
                                    const RemoteOptions& options);

/// "cp313t" → "3.13t"; empty for what is no tag of a CPython.
std::string python_of_tag(std::string_view tag);

}  // namespace img
