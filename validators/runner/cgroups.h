// SPDX-License-Identifier: Apache-2.0
// Control groups that a runtime left behind when it was ended together with its container.
#pragma once

#include "builder/base/file.h"

#include <string>
#include <vector>

namespace img {

/// Paths of the groups that runc or crun made for container `id`: from the state that the runtime
/// keeps below `state_folder`. Only paths below /sys/fs/cgroup whose last part is `id` are taken.
std::vector<fs::path> cgroups_of(const fs::path& state_folder, const std::string& id);

/// Removes them; groups that are gone already, and those that the kernel still takes apart for a
/// moment, are no error.
void remove_cgroups(const std::vector<fs::path>& groups);

}  // namespace img
