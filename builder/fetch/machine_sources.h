// SPDX-License-Identifier: Apache-2.0
// The addresses that pip and apt are configured with on this machine, asked from them when first
// needed.
#pragma once

#include "builder/base/file.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// Addresses that the machine's own tools use. Thread-safe; each tool is asked at most once.
class MachineSources {
 public:
  /// Addresses for "pypi", "debian" or "debian-security"; empty for other names and when nobody
  /// knows.
  const std::vector<std::string>& of(const std::string& name);

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<std::string>> asked_;
};

// ---- its parts, for tests

/// The index in the output of `pip config list`, "global.index-url='https://…'"; install's wins.
std::optional<std::string> index_of_pip_config(std::string_view output);

struct AptRoots {
  std::vector<std::string> debian, security;  ///< in order, without duplicates
};
/// Lines "URI<tab>release<tab>component<tab>origin" of `apt-get indextargets`. Other archives than
/// Debian's are left out: by their origin when apt knows it, else by release and component
/// (`codename`: of this machine).
AptRoots roots_of_index_targets(std::string_view output, const std::string& codename);
/// sources.list and sources.list.d/*.{list,sources} under `apt_folder`.
AptRoots roots_of_apt_folder(const fs::path& apt_folder, const std::string& codename);

}  // namespace img
