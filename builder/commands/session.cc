// SPDX-License-Identifier: Apache-2.0
// Opens what commands share and writes their answers.

#include "builder/commands/session.h"

#include "builder/base/error.h"
#include "builder/base/thread_pool.h"
#include "builder/resolve/resolve.h"

#include <cerrno>
#include <cstdio>
#include <ctime>

namespace img {
namespace {

/// Recipes that belong to this program: beside it in a source tree or an installation.
std::vector<fs::path> shipped_recipe_folders() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path bin = program.parent_path();
  std::vector<fs::path> folders;
  for (const fs::path& candidate :
       {bin / "../share/imgbuild/layers", bin / "../../layers", bin / "../layers"}) {
    if (fs::is_directory(candidate, error)) folders.push_back(fs::canonical(candidate, error));
  }
  return folders;
}

void write_out(const std::string& text) {
  const bool written =
      std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) {
    const int error = errno;
    throw SystemError(error, "cannot write to standard output");
  }
}

}  // namespace

Progress& Session::progress() {
  if (!progress_) {
    const auto mode = parse_progress_mode(flags_.progress);
    if (!mode) throw UsageError("'" + flags_.progress + "' is no progress mode");
    progress_ = std::make_unique<Progress>(flags_.quiet ? ProgressMode::quiet : *mode);
  }
  return *progress_;
}

Store& Session::store() {
  if (!store_) store_ = std::make_unique<Store>(Store::default_root(flags_.cache_dir));
  return *store_;
}

Sources Session::sources() const {
  return load_sources({.flags = flags_.sources, .offline = flags_.offline});
}

BuildManifest Session::load(const std::string& manifest_file) const {
  LoadOptions options;
  for (const std::string& folder : flags_.recipe_folders) options.recipe_folders.push_back(folder);
  for (const fs::path& folder : shipped_recipe_folders()) options.recipe_folders.push_back(folder);
  return load_manifest(manifest_file, options);
}

void Session::print(const std::string& line) { write_out(line + "\n"); }

void Session::print_json(Json value) {
  value["schemaVersion"] = 1;
  write_out(pretty_json(value));
}

int job_count(int flag) {
  if (flag < 0) throw UsageError("-j needs a positive number");
  return flag == 0 ? static_cast<int>(available_cores()) : flag;
}

LockFile load_or_make_lock(Session& session, const BuildManifest& manifest,
                           const std::string& lock_file, MissingLock missing) {
  const fs::path path = lock_file.empty() ? lock_path_of(manifest.file) : fs::path(lock_file);
  std::error_code error;
  if (!fs::exists(path, error)) {
    if (missing == MissingLock::refuse) {
      throw ManifestError(ErrorText{.message = "there is no lock '" + path.string() + "'",
                                    .hint = "run 'imgbuild lock " + manifest.file + "'"});
    }
    session.progress().log("no lock yet: resolving '" + manifest.file + "' into '" + path.string() +
                           "'");
    LockFile lock = resolve(manifest, {.now = static_cast<std::int64_t>(std::time(nullptr))},
                            session.sources(), session.store(), session.progress());
    write_file(path, format_lock(lock));
    return lock;
  }
  LockFile lock = parse_lock(read_file(path), path.string());
  require_fresh(lock, manifest, path);
  return lock;
}

}  // namespace img
