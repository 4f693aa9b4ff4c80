// SPDX-License-Identifier: Apache-2.0
// Fills {name} in recipe text from the versions of the manifest.
#pragma once

#include "builder/base/yaml.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// For each version NAME: {NAME}, {NAME_major} and, when it has one, {NAME_minor}.
class Variables {
 public:
  explicit Variables(const std::map<std::string, std::string>& versions);

  /// The scalar's text filled in; ManifestError at the first unknown variable.
  std::string fill(const YamlNode& node, std::string_view what) const;
  /// The same for each item of a list.
  std::vector<std::string> fill_list(const YamlNode& node, std::string_view what) const;

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace img
