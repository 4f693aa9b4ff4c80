// SPDX-License-Identifier: Apache-2.0
// What every command shares: global flags, the lazily opened store, progress, and the answer on
// standard output.
#pragma once

#include "builder/base/json.h"
#include "builder/base/progress.h"
#include "builder/fetch/sources.h"
#include "builder/fetch/store.h"
#include "builder/lock/lock_file.h"
#include "builder/manifest/build_manifest.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// Flags that every command accepts.
struct GlobalFlags {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool offline = false;
  std::string progress = "auto";
  std::string cache_dir;
  std::vector<std::string> sources;
  std::vector<std::string> recipe_folders;
};

class Session {
 public:
  explicit Session(const GlobalFlags& flags) : flags_(flags) {}

  const GlobalFlags& flags() const { return flags_; }
  bool json() const { return flags_.json; }
  Progress& progress();
  Store& store();
  Sources sources() const;

  BuildManifest load(const std::string& manifest_file) const;

  /// One line of the answer.
  void print(const std::string& line);
  /// The whole answer with --json; `value` gets "schemaVersion": 1.
  void print_json(Json value);

 private:
  const GlobalFlags& flags_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Store> store_;
};

/// Threads for -j: the flag, or the cores of this machine when it is 0.
int job_count(int flag);

enum class MissingLock { make, refuse };

/// The lock of a manifest, fresh for it. Missing: made now and written (and said so), or an error
/// with MissingLock::refuse. `lock_file` empty: beside the manifest. Stale: ManifestError.
LockFile load_or_make_lock(Session& session, const BuildManifest& manifest,
                           const std::string& lock_file, MissingLock missing);

}  // namespace img
