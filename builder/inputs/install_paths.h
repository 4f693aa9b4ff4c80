// SPDX-License-Identifier: Apache-2.0
// Where members of one wheel lie in a venv, in the three ways that paths are written. Private to
// inputs.
#pragma once

#include "builder/inputs/wheel_install.h"

#include <string>
#include <string_view>

namespace img {

class InstallPaths {
 public:
  InstallPaths(const Wheel& wheel, const InstallTarget& target);

  /// "lib/python3.11/site-packages"
  const std::string& site_packages() const { return site_packages_; }
  bool is_script(std::string_view member) const;
  /// Member name → InstalledFile::path.
  std::string installed_path(std::string_view member) const;
  /// InstalledFile::path → path relative to the venv.
  std::string in_venv(std::string_view installed) const;
  /// … → path in the image.
  EntryPath entry(std::string_view installed) const;
  /// … → as RECORD writes it, relative to site-packages: "../../../bin/torchrun".
  std::string record_path(std::string_view installed) const;

 private:
  EntryPath venv_;
  std::string site_packages_;
  std::string headers_;
  std::string data_;  ///< "sympy-1.14.0.data/", empty: none
};

}  // namespace img
