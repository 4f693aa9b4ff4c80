// SPDX-License-Identifier: Apache-2.0
// The few files of an image that its Python needs to start, unpacked into a private folder.
#pragma once

#include "builder/base/file.h"
#include "builder/layer/tree.h"
#include "builder/manifest/build_manifest.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace img {

/// Which files those are: the interpreter, its standard library, its dynamic loader and libraries.
/// Paths are merged-usr ("lib/x" is "usr/lib/x"), since packages and images write them both ways.
class PythonFileChoice {
 public:
  explicit PythonFileChoice(const PythonSpec& python);
  static std::string merged_usr(const std::string& path);

  bool wants(const std::string& merged_path) const;
  bool is_library(const std::string& merged_path) const;
  const std::string& interpreter() const { return interpreter_; }
  const std::string& prefix() const { return prefix_; }
  const std::string& standard_library() const { return standard_library_; }

 private:
  std::string interpreter_, bin_, prefix_, standard_library_;
};

/// Writes chosen files below a fresh private folder. No symbolic link is ever made there, so
/// nothing can be written through one: links of the image are followed on paper and become hard
/// links to the file that they end at.
class PythonUnpacker {
 public:
  PythonUnpacker(fs::path root, const PythonSpec& python);

  /// Takes the entry when it is wanted; `body` is read only for files.
  void take(const EntryPath& path, const Entry& entry, Source& body);
  bool wants(const EntryPath& path) const;
  /// Makes the links. UnavailableError when interpreter or loader are not there.
  void finish();

  fs::path interpreter() const { return root_ / choice_.interpreter(); }
  fs::path home() const { return root_ / choice_.prefix(); }
  fs::path loader() const;
  std::vector<std::string> library_folders() const;

 private:
  void write(const std::string& path, const Entry& entry, Source& body);
  std::string end_of_links(std::string path) const;

  fs::path root_;
  PythonFileChoice choice_;
  std::string python_path_;
  std::set<std::string> files_;
  std::map<std::string, std::string> links_;
};

}  // namespace img
