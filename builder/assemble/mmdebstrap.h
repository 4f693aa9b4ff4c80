// SPDX-License-Identifier: Apache-2.0
// Runs mmdebstrap over a flat repository of exactly the locked packages.
#pragma once

#include "builder/base/file.h"
#include "builder/fetch/store.h"
#include "builder/lock/lock_file.h"

#include <string>
#include <vector>

namespace img {

/// Scratch space for one installation: memory-backed when there is enough of it. Held by a lock, so
/// that what a killed run left behind is found and removed by the next one.
class InstallSpace {
 public:
  /// `as_root` false: others must be able to enter the folder, since the installing user is a
  /// subordinate id.
  static std::unique_ptr<InstallSpace> make(const Store& store, bool as_root);
  const fs::path& path() const { return folder_->path(); }

 private:
  explicit InstallSpace(const fs::path& parent);
  std::unique_ptr<TempDir> folder_;
  std::optional<FileLock> lock_;
};

/// Copies the packages into the new folder `repository` and writes a Packages index whose sizes and
/// hashes are the lock's: apt checks them. A package whose control file says another name, version
/// or architecture than the lock is an IntegrityError.
void write_repository(const std::vector<LockedDeb>& debs, const Store& store,
                      const fs::path& repository);

/// Installs every package of `repository` and writes the root as `tar`. Missing programs are named
/// with what to install.
void run_mmdebstrap(const std::vector<LockedDeb>& debs, const fs::path& repository,
                    const fs::path& tmp, const fs::path& tar, bool as_root);

/// UnavailableError when this user has no range of subordinate ids in `subuid` ("/etc/subuid" or
/// "/etc/subgid").
void require_subordinate_ids(const fs::path& file, const std::string& user, unsigned uid);

}  // namespace img
