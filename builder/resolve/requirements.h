// SPDX-License-Identifier: Apache-2.0
// What a wheels recipe asks for: its `requires` and the lines of its requirements file.
#pragma once

#include "builder/manifest/build_manifest.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

struct Requirement {
  std::string text;  ///< PEP 508, without hashes
  std::string name;  ///< normalised distribution
  std::vector<std::string>
      hashes;          ///< sha256 in hex; if there are any, the wheel must be one of them
  std::string layer;   ///< recipe that asks
  std::string origin;  ///< "requirements.txt:3", or the recipe's file
  Position position;
};

/// Of a recipe that load_manifest() accepted (options, addresses and paths are refused there).
/// ManifestError for malformed hashes.
std::vector<Requirement> read_requirements(const Recipe& recipe);

/// Distribution at the start of a PEP 508 text, normalised; empty when there is none.
std::string requirement_name(std::string_view text);

}  // namespace img
