// SPDX-License-Identifier: Apache-2.0
// Finds the validator bundle.

#include "validators/commands/bundle.h"

#include "builder/base/error.h"

#include <cstdlib>
#include <vector>

namespace img {
namespace {

bool is_bundle(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "imgcheck-inside", error) ||
         fs::is_regular_file(folder / "versions", error);
}

fs::path named_bundle(const fs::path& folder, const std::string& by) {
  if (is_bundle(folder)) return fs::absolute(folder);
  throw UnavailableError(
      ErrorText{.message = "'" + folder.string() + "', named by " + by + ", holds no probes",
                .hint = "build them with 'ci/bundle'"});
}

}  // namespace

fs::path find_bundle(const std::string& flag) {
  if (!flag.empty()) return named_bundle(flag, "--bundle");
  const char* const variable = std::getenv("IMGCHECK_BUNDLE");
  if (variable != nullptr && *variable != '\0') return named_bundle(variable, "IMGCHECK_BUNDLE");
  std::error_code error;
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const fs::path& folder : {bin / "../bundle", bin / "../share/imgcheck/bundle"}) {
    if (is_bundle(folder)) return fs::canonical(folder);
  }
  throw UnavailableError(ErrorText{.message = "the probes are not built",
                                   .hint = "run 'ci/bundle', or name them with --bundle"});
}

}  // namespace img
