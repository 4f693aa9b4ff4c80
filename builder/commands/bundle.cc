// SPDX-License-Identifier: Apache-2.0
// Finds the validator bundle, names it by its bytes, and makes it a layer.

#include "builder/commands/bundle.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"

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
                                   .hint = "run 'ci/bundle', or set IMGCHECK_BUNDLE"});
}

Digest bundle_digest(const fs::path& folder) {
  std::string lines;
  for (const std::string& name : sorted_names(folder)) {
    const fs::path file = folder / name;
    if (!fs::is_regular_file(fs::symlink_status(file))) {
      throw InputError("'" + file.string() + "' is no file: a validator bundle holds files only");
    }
    lines += to_hex(sha256(read_file(file))) + "  " + name + "\n";
  }
  return Digest::of(lines);
}

std::optional<Digest> wanted_bundle(const BuildManifest& manifest) {
  if (!manifest.selftest) return std::nullopt;
  return bundle_digest(find_bundle(""));
}

BuildManifest with_selftest(const BuildManifest& manifest, const std::optional<Digest>& locked) {
  if (!manifest.selftest || !locked) return manifest;
  const fs::path folder = find_bundle("");
  const Digest here = bundle_digest(folder);
  if (here != *locked) {
    throw UnavailableError(ErrorText{
        .message = "the validator bundle here is not the locked one",
        .details = {{"expected", locked->str(), "the lock"}, {"got", here.str(), folder.string()}},
        .hint = "build the locked version's with 'ci/bundle', or run 'imgbuild lock " +
                manifest.file + "'"});
  }
  BuildManifest with = manifest;
  FilesSpec files;
  files.files.push_back({.path = kBundleFolder,
                         .source = folder.string(),
                         .content = {},
                         .mode = {},
                         .source_written = "the validator bundle",
                         .position = {}});
  with.recipes.push_back({.name = "imgcheck",
                          .file = manifest.file,
                          .summary = "validator bundle",
                          .env = {},
                          .directories = {},
                          .spec = std::move(files),
                          .position = {}});
  return with;
}

}  // namespace img
