// SPDX-License-Identifier: Apache-2.0
// pylock.toml (PEP 751), as far as a closure of wheels needs it.
#pragma once

#include "builder/inputs/wheel.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct PylockWheel {
  std::string file;
  std::uint64_t size = 0;  ///< 0: the index does not say
  std::string sha256;      ///< hex; empty: the index does not say
  std::string uploaded;    ///< RFC 3339, or empty
};

struct PylockPackage {
  std::string name;  ///< normalised
  std::string version;
  std::vector<PylockWheel> wheels;
};

/// Sorted by name. InputError for anything but packages that come as wheels of an index.
std::vector<PylockPackage> parse_pylock(std::string_view text);

/// The wheel that an installer there takes. ManifestError when none fits.
const PylockWheel& choose_wheel(const PylockPackage& package, const TagRanking& ranking);

}  // namespace img
