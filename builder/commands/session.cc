// SPDX-License-Identifier: Apache-2.0
// Opens what commands share and writes their answers.

#include "builder/commands/session.h"

#include "builder/base/error.h"
#include "builder/base/thread_pool.h"
#include "builder/commands/bundle.h"
#include "builder/commands/output.h"
#include "builder/commands/recipe_folders.h"
#include "builder/resolve/resolve.h"

#include <ctime>

namespace img {
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
  return load_manifest(manifest_file, recipe_folders(flags_.recipe_folders));
}

void Session::print(const std::string& line) { write_to_stdout(line + "\n"); }

void Session::print_json(Json value) {
  value["schemaVersion"] = 1;
  write_to_stdout(pretty_json(value));
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
    // Before the work, so that a missing bundle costs no time.
    const std::optional<Digest> bundle = wanted_bundle(manifest);
    LockFile lock = resolve(manifest, {.now = static_cast<std::int64_t>(std::time(nullptr))},
                            session.sources(), session.store(), session.progress());
    lock.bundle = bundle;
    write_file(path, format_lock(lock));
    return lock;
  }
  LockFile lock = parse_lock(read_file(path), path.string());
  require_fresh(lock, manifest, path);
  return lock;
}

}  // namespace img
