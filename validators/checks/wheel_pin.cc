// SPDX-License-Identifier: Apache-2.0
// Reads "==" pins out of Requires-Dist lines.

#include "validators/checks/wheel_pin.h"

#include "builder/base/text.h"
#include "validators/checks/image_view.h"

namespace img {

std::optional<WheelPin> parse_pin(std::string_view requirement) {
  const std::size_t semicolon = requirement.find(';');
  if (semicolon != std::string_view::npos &&
      requirement.substr(semicolon).find("extra") != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view text = trim(requirement.substr(0, semicolon));
  const std::size_t end = text.find_first_of(" ([=<>!~");
  if (end == std::string_view::npos || end == 0) return std::nullopt;
  WheelPin pin{.name = normal_name(text.substr(0, end)), .version = {}};
  text.remove_prefix(end);
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    text.remove_prefix(close + 1);
  }
  text = trim(text);
  if (text.starts_with('(') && text.ends_with(')')) text = trim(text.substr(1, text.size() - 2));
  if (!text.starts_with("==") || text.starts_with("===") ||
      text.find(',') != std::string_view::npos) {
    return std::nullopt;
  }
  text = trim(text.substr(2));
  if (text.ends_with(".*")) {
    pin.prefix = true;
    text.remove_suffix(2);
  }
  if (text.empty()) return std::nullopt;
  pin.version = std::string(text);
  return pin;
}

bool keeps_pin(const WheelPin& pin, std::string_view installed) {
  if (pin.prefix) return keeps_version(pin.version, installed);
  // "==2.8.0" accepts "2.8.0+cu126" too (PEP 440).
  return installed == pin.version || installed.substr(0, installed.find('+')) == pin.version;
}

}  // namespace img
