// SPDX-License-Identifier: Apache-2.0
// Reads a runtime's state file for control groups and removes them.
#include "validators/runner/cgroups.h"

#include "builder/base/error.h"
#include "builder/base/json.h"

#include <cerrno>
#include <chrono>
#include <thread>

#include <unistd.h>

namespace img {
namespace {

constexpr int kAttempts = 20;
constexpr std::chrono::milliseconds kPause(5);

bool is_group_of(const std::string& path, const std::string& id) {
  return path.starts_with("/sys/fs/cgroup/") && path.ends_with("/" + id) &&
         path.find("/../") == std::string::npos;
}

void remove_group(const fs::path& group) {
  // Its last process may be dead and yet not gone.
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (rmdir(group.c_str()) == 0 || errno != EBUSY) return;
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

std::vector<fs::path> cgroups_of(const fs::path& state_folder, const std::string& id) {
  std::vector<fs::path> groups;
  try {
    const fs::path file = state_folder / id / "state.json";
    const Json state = parse_json(read_file(file), file.string());
    const auto paths = state.find("cgroup_paths");
    if (paths == state.end() || !paths->is_object()) return groups;
    for (const auto& [controller, path] : paths->items()) {
      if (path.is_string() && is_group_of(path.get<std::string>(), id)) {
        groups.emplace_back(path.get<std::string>());
      }
    }
  } catch (const Error&) {
    // No state: the runtime had not come so far, or has removed everything itself.
  }
  return groups;
}

void remove_cgroups(const std::vector<fs::path>& groups) {
  for (const fs::path& group : groups) remove_group(group);
}

}  // namespace img
