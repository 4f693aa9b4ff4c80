// SPDX-License-Identifier: Apache-2.0
// Looks up the user and the group of the image config.

#include "builder/assemble/image_user.h"

#include "builder/base/text.h"

#include <algorithm>
#include <vector>

namespace img {
namespace {

constexpr std::size_t kName = 0, kNumber = 2;  // fields of passwd and group lines

bool is_number(const std::string& text) { return parse_decimal(text).has_value(); }

/// First fields of the lines of an account file.
std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (const std::string& line : split(text, '\n')) {
    const std::string name = split(line, ':')[kName];
    if (!name.empty()) names.push_back(name);
  }
  return names;
}

bool has_number(const std::string& text, const std::string& number) {
  const std::vector<std::string> lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    const std::vector<std::string> fields = split(line, ':');
    return fields.size() > kNumber && parse_decimal(fields[kNumber]) == parse_decimal(number);
  });
}

void require_name(const std::string& kind, const std::string& name, const std::string& text,
                  const std::string& file, const Position& position) {
  const std::vector<std::string> names = names_in(text);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto near = did_you_mean(name, names);
  throw ManifestError(ErrorText{.message = "config.user names " + kind + " '" + name +
                                           "', which the image's " + file + " does not have",
                                .position = position,
                                .hint = near
                                            ? "did you mean '" + *near + "'?"
                                            : "add it under 'users:' of a recipe of kind 'files'"});
}

}  // namespace

std::string check_user(const ConfigSpec& config, const std::optional<Accounts>& accounts) {
  if (config.user.empty()) return {};
  const std::vector<std::string> parts = split(config.user, ':');
  const Accounts none;
  const Accounts& known = accounts ? *accounts : none;
  if (!is_number(parts[0])) {
    require_name("user", parts[0], known.passwd, "/etc/passwd", config.user_position);
  }
  if (parts.size() > 1 && !is_number(parts[1])) {
    require_name("group", parts[1], known.group, "/etc/group", config.user_position);
  }
  if (!is_number(parts[0]) || has_number(known.passwd, parts[0])) return {};
  return "config.user " + parts[0] +
         " has no line in the image's /etc/passwd: programs that ask for their user's name or home "
         "fail";
}

}  // namespace img
