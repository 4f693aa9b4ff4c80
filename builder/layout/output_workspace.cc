// SPDX-License-Identifier: Apache-2.0
// Makes and locks the workspace, and clears away those of the dead.
#include "builder/layout/output_workspace.h"

#include "builder/base/error.h"

#include <cerrno>

namespace img {
namespace {

constexpr std::string_view kPrefix = ".imgbuild-layout-";
constexpr const char* kLockName = "lock";
constexpr int kMostAttempts = 10;

bool knows_no_locks(int error) {
  return error == ENOLCK || error == ENOTSUP || error == ENOSYS || error == EINVAL;
}

void remove_dead(const fs::path& parent) {
  for (const std::string& name : sorted_names(parent)) {
    if (!name.starts_with(kPrefix)) continue;
    const fs::path folder = parent / name;
    try {
      const auto lock = FileLock::try_lock(folder / kLockName, FileLock::Mode::exclusive);
      if (lock) remove_tree(folder);
    } catch (const SystemError&) {
      // Gone meanwhile, or not ours to remove: it is not in the way.
    }
  }
}

}  // namespace

OutputWorkspace::OutputWorkspace(const fs::path& parent) {
  remove_dead(parent);
  for (int attempt = 1;; ++attempt) {
    folder_ = std::make_unique<TempDir>(parent, kPrefix);
    try {
      lock_.emplace(folder_->path() / kLockName, FileLock::Mode::exclusive);
      return;
    } catch (const SystemError& error) {
      if (knows_no_locks(error.errno_value())) return;  // nobody can take it for dead there
      // Before it was locked, another build took the new folder for one of the dead.
      if (error.errno_value() != ENOENT || attempt == kMostAttempts) throw;
    }
  }
}

}  // namespace img
