// SPDX-License-Identifier: Apache-2.0
// The image's one closure of wheels: solved, each wheel chosen and given to its recipe.
#pragma once

#include "builder/base/http.h"
#include "builder/base/progress.h"
#include "builder/fetch/sources.h"
#include "builder/lock/lock_file.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace img {

struct WheelProblem {
  const BuildManifest* manifest = nullptr;
  std::string python;       ///< "3.11"
  std::string python_full;  ///< "3.11.2", what markers see
  int glibc_minor = 0;
  std::map<std::string, std::string> keep;  ///< distribution → version that must not move
};

/// Sorted by name; unpacked sizes are still unknown. `cache` is uv's, kept between runs; `work` is
/// scratch.
std::vector<LockedWheel> solve_wheels(
    const WheelProblem& problem, const Sources& sources, const fs::path& cache,
    const fs::path& work, Progress& progress,
    const std::function<std::unique_ptr<HttpClient>()>& make_client = make_curl_client);

/// "manylinux_2_36_x86_64"
std::string wheel_platform(int glibc_minor);

}  // namespace img
