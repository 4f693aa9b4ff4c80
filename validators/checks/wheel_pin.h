// SPDX-License-Identifier: Apache-2.0
// The exact versions that a wheel's Requires-Dist lines ask for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace img {

struct WheelPin {
  std::string name;     ///< normalised distribution
  std::string version;  ///< "9.10.2.21"; of "==12.8.*" the part before the asterisk, "12.8"
  bool prefix = false;  ///< any version that begins so
};

/// nullopt for what asks for no single version, and for what only an extra asks for. Both the
/// present form "name==1.2; marker" and the old one "name (==1.2) ; marker" are read.
std::optional<WheelPin> parse_pin(std::string_view requirement);
bool keeps_pin(const WheelPin& pin, std::string_view installed);

}  // namespace img
