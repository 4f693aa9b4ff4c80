// SPDX-License-Identifier: Apache-2.0
// BuildManifest → LockFile: one closure of wheels (uv), one closure of debs (apt), promises proven
// on the artifacts.
#pragma once

#include "builder/base/progress.h"
#include "builder/lock/lock_file.h"

#include <set>
#include <string>
#include <vector>

namespace img {

class Store;
struct Sources;

struct ResolveOptions {
  /// Only these names may move; everything else stays as in `previous` (constraints for uv,
  /// =version for apt). Empty with a `previous`: everything is solved anew.
  std::set<std::string> update;
  const LockFile* previous = nullptr;
  bool allow_index_change = false;
  std::int64_t now = 0;  ///< seconds; for Valid-Until and Date-in-the-future only
};

/// Solves, downloads every wheel and deb into the store (promises are read from the files), assigns
/// each wheel to its recipe.
LockFile resolve(const BuildManifest& manifest, const ResolveOptions& options,
                 const Sources& sources, Store& store, Progress& progress);

}  // namespace img
