// SPDX-License-Identifier: Apache-2.0
// Folders of containers that live as long as their process, and are cleaned up after it.
#pragma once

#include "builder/base/file.h"

#include <memory>
#include <optional>

namespace img {

/// `<parent>/<prefix>…`, locked while it lives; removed with everything in it on destruction. The
/// next Scratch of the same parent removes what processes that were killed have left there, control
/// groups of their containers included.
class Scratch {
 public:
  explicit Scratch(const fs::path& parent);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  const fs::path& path() const { return folder_->path(); }

 private:
  static void remove_leftovers(const fs::path& parent);
  std::unique_ptr<TempDir> folder_;
  std::optional<FileLock> lock_;
};

/// Removes a run's folder and the control groups that its runtime's state names.
void remove_run_folder(const fs::path& folder);

}  // namespace img
