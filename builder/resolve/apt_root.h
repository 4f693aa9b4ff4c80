// SPDX-License-Identifier: Apache-2.0
// A private apt root: its folders, its configuration, and running apt-get in it.
#pragma once

#include "builder/base/file.h"
#include "builder/base/process.h"

#include <string>
#include <vector>

namespace img {

/// One line of sources.list.
struct AptSuite {
  std::string archive;  ///< name of the source: "debian", "debian-security"
  std::string address;  ///< root of that archive
  std::string suite;    ///< "bookworm-updates"
};

class AptRoot {
 public:
  /// `root` is a new folder. Addresses and paths with blanks or quotes are refused.
  AptRoot(fs::path root, const std::vector<AptSuite>& suites,
          const std::vector<std::string>& components, const std::string& architecture,
          const fs::path& keyring);

  /// Versions that apt shall prefer (apt_preferences).
  void write_preferences(const std::string& text) const;
  ProcessResult run(const std::vector<std::string>& arguments) const;

  fs::path in_release(const AptSuite& suite) const;
  fs::path packages(const AptSuite& suite, const std::string& component,
                    const std::string& architecture) const;
  const fs::path& path() const { return root_; }

 private:
  /// The one file of lists/ with this ending; the start is the mirror's address as apt writes it.
  fs::path list_file(const std::string& ending) const;
  fs::path root_;
};

}  // namespace img
