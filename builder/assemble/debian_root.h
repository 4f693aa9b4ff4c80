// SPDX-License-Identifier: Apache-2.0
// Locked .debs → the file tree they install: mmdebstrap runs their scripts, we keep what is
// reproducible.
#pragma once

#include "builder/base/progress.h"
#include "builder/fetch/store.h"
#include "builder/layer/tree.h"
#include "builder/lock/lock_file.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace img {

/// An installed root. Entries' contents refer to `spool` (a tar kept in a temporary folder), so the
/// object must outlive the tree's use.
struct DebianRoot {
  Tree tree;  ///< sealed; without host leaks, /dev, logs, caches; no drop rules applied yet
  std::unique_ptr<TempDir> spool;
};

/// Installs exactly these debs (all in the store) into a fresh root through mmdebstrap (mode root,
/// or unshare for others), with a clean environment, and normalises the result: only path, type,
/// mode, owner, link and content survive; every .pyc must be hash-based. Same debs = same tree,
/// whatever host, user, folder, time. Missing programs are named with what to install.
DebianRoot make_debian_root(const std::vector<LockedDeb>& debs, const std::string& suite,
                            const Store& store, Progress& progress);

/// What `upper` adds to or changes against `lower` (same content and attributes = left out; removed
/// paths become whiteouts; parents of what is added come along with their attributes).
Tree tree_difference(const Tree& lower, const Tree& upper);

/// Removes what `drop` globs match and `keep` globs do not (absolute paths, "/usr/share/man/**");
/// folders that become empty stay. Returns files and bytes removed per rule.
std::vector<std::pair<std::uint64_t, std::uint64_t>> apply_drops(
    Tree& tree, const std::vector<DropGlob>& drop, const std::vector<std::string>& keep);

}  // namespace img
