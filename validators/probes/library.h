// SPDX-License-Identifier: Apache-2.0
// Loads the image's own libraries and finds out which files a process has mapped.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace probe {

/// A library for the rest of the process: closing what CUDA code has touched is asking for trouble.
class Library {
 public:
  /// `flags`: of dlopen. A library that cannot be loaded has an error.
  Library(const std::string& name, int flags);

  bool loaded() const { return handle_ != nullptr; }
  const std::string& error() const { return error_; }
  std::string path() const;              ///< the file that was loaded; empty when it is not known
  void* symbol(const char* name) const;  ///< nullptr when there is none

  template <typename Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(symbol(name));
  }

 private:
  void* handle_ = nullptr;
  std::string error_;
};

/// Files that are mapped with the right to execute: shared libraries and the program itself.
std::set<std::string> mapped_libraries();
bool file_exists(const std::string& path);
std::string_view base_name(std::string_view path);

}  // namespace probe
