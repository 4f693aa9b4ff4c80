// SPDX-License-Identifier: Apache-2.0
// Typed fields that manifests and recipes share: paths, modes, versions, environment.
#pragma once

#include "builder/base/yaml.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/variables.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

// Every function takes the node and how messages call it ("key 'venv' in layer 'python'") and
// throws ManifestError at the node.

/// Absolute, in normal form ("/opt/venv"): no '.', '..', '//', no slash at the end, not the root.
std::string absolute_path(const YamlNode& node, std::string_view what);
/// The same rules for text that is no node of its own.
bool is_absolute_path(std::string_view text);

/// Octal permission bits, "755" to "1777".
std::uint32_t mode_field(const YamlNode& node, std::string_view what);
/// A user or group number.
std::uint32_t id_field(const YamlNode& node, std::string_view what);

/// "3.11". Unquoted text that another YAML tool would read as a number is refused: 3.10 becomes 3.1
/// there.
std::string version_field(const YamlNode& node, std::string_view what);
/// Whether YAML 1.1 or 1.2 tools read this plain scalar as something other than text.
bool reads_as_other_than_text(std::string_view text);

std::map<std::string, std::string> environment_field(const YamlNode& node, std::string_view what);
std::vector<DirectorySpec> directories_field(const YamlNode& node, const std::string& what);
std::vector<DropGlob> drops_field(const YamlNode& node, const std::string& what,
                                  const Variables& variables);
PythonSpec python_field(const YamlNode& node, const std::string& what, const Variables& variables);

/// A path of the user's machine, relative to `folder`; absolute ones are refused (they differ
/// between machines).
struct LocalPath {
  std::string written;
  fs::path resolved;
};
LocalPath local_path(const YamlNode& node, std::string_view what, const fs::path& folder);

/// Lower case, runs of '-', '_' and '.' as one '-' (PEP 503).
std::string normalised_distribution(std::string_view name);

}  // namespace img
