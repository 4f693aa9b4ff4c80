// SPDX-License-Identifier: Apache-2.0
// The hidden folder beside an output in which it is made. Private to layout.
#pragma once

#include "builder/base/file.h"

#include <memory>
#include <optional>

namespace img {

/// `<parent>/.imgbuild-layout-<random>`, locked while its owner lives and removed with everything
/// in it afterwards. A killed process leaves its folder behind: making a workspace removes all
/// those beside it that nobody holds.
class OutputWorkspace {
 public:
  /// SystemError when the folder cannot be made.
  explicit OutputWorkspace(const fs::path& parent);
  const fs::path& path() const { return folder_->path(); }

 private:
  std::optional<FileLock> lock_;  // released after the folder is gone
  std::unique_ptr<TempDir> folder_;
};

}  // namespace img
