// SPDX-License-Identifier: Apache-2.0
// Solving wheels by `uv pip compile`, isolated from the configuration of whoever runs it.
#pragma once

#include "builder/base/file.h"
#include "builder/resolve/requirements.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct UvProblem {
  std::vector<Requirement> requirements;
  std::vector<std::string> constraints;  ///< "name==version"
  std::map<std::string, std::string>
      bound;  ///< normalised distribution → name of the only index it comes from
  std::map<std::string, std::string> addresses;  ///< of the indexes in `bound`
  std::string default_address;                   ///< of the index of everything else
  std::string python_version;                    ///< "3.11.2"
  int glibc_minor = 0;                           ///< of glibc 2
  std::string machine = "x86_64";
};

/// $IMGBUILD_UV, $IMGBUILD_TOOLS/bin/uv, else uv of PATH; UnavailableError that says how to install
/// it otherwise.
fs::path find_uv();

/// Text of pylock.toml. `cache` is kept between runs, `work` is scratch.
/// No solution: ManifestError with uv's reasons; a needed source build: ManifestError that names
/// the package and who needs it; index not reachable: UnavailableError.
std::string run_uv(const UvProblem& problem, const fs::path& cache, const fs::path& work);

/// The project file uv reads: requirements, and which of them are bound to which index.
std::string uv_project(const UvProblem& problem);
/// Newest platform tag that uv knows and that a system with this glibc can run.
std::string uv_platform(int glibc_minor, std::string_view machine);

/// What uv's standard error means; throws.
[[noreturn]] void report_uv_failure(const UvProblem& problem, std::string_view standard_error);

}  // namespace img
