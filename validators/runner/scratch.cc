// SPDX-License-Identifier: Apache-2.0
// Makes and removes the folders of containers.
#include "validators/runner/scratch.h"

#include "builder/base/error.h"
#include "validators/runner/cgroups.h"
#include "validators/runner/oci_runtime.h"

#include <sys/stat.h>

namespace img {
namespace {

constexpr const char* kPrefix = "run-";
constexpr const char* kLockName = "lock";

bool is_folder(const fs::path& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

void remove_leftover(const fs::path& folder) {
  for (const std::string& run : sorted_names(folder)) {
    if (is_folder(folder / run)) remove_run_folder(folder / run);
  }
  remove_tree(folder);
}

}  // namespace

void remove_run_folder(const fs::path& folder) {
  const fs::path state = folder / kRuntimeState;
  if (is_folder(state)) {
    for (const std::string& id : sorted_names(state)) remove_cgroups(cgroups_of(state, id));
  }
  remove_tree(folder);
}

Scratch::Scratch(const fs::path& parent) {
  create_folders(parent);
  // Nobody takes a new folder for a leftover before it is locked.
  const FileLock guard(parent / kLockName, FileLock::Mode::exclusive);
  remove_leftovers(parent);
  folder_ = std::make_unique<TempDir>(parent, kPrefix);
  lock_.emplace(folder_->path() / kLockName, FileLock::Mode::exclusive);
}

Scratch::~Scratch() = default;

void Scratch::remove_leftovers(const fs::path& parent) {
  for (const std::string& name : sorted_names(parent)) {
    const fs::path folder = parent / name;
    if (!name.starts_with(kPrefix) || !is_folder(folder)) continue;
    try {
      const auto lock = FileLock::try_lock(folder / kLockName, FileLock::Mode::exclusive);
      if (lock) remove_leftover(folder);
    } catch (const SystemError&) {
      // Another user's: left to him.
    }
  }
}

}  // namespace img
