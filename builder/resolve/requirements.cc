// SPDX-License-Identifier: Apache-2.0
// What a wheels recipe asks for: its `requires` and the lines of its requirements file.
#include "builder/resolve/requirements.h"

#include "builder/base/text.h"
#include "builder/inputs/wheel.h"
#include "builder/manifest/requirement.h"

#include <algorithm>
#include <utility>

namespace img {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_char(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }

[[noreturn]] void refuse(const Requirement& requirement, const std::string& message,
                         const std::string& hint) {
  throw ManifestError(
      ErrorText{.message = message, .position = requirement.position, .hint = hint});
}

/// Cuts "--hash=sha256:…" options off the text and keeps their values.
void take_hashes(Requirement& requirement) {
  static constexpr std::string_view kOption = "--hash=sha256:";
  const std::size_t at = requirement.text.find(" --");
  if (at == std::string::npos) return;
  const std::string options = requirement.text.substr(at + 1);
  requirement.text = std::string(trim(requirement.text.substr(0, at)));
  for (const std::string& word : split(options, ' ')) {
    if (word.empty()) continue;
    const auto bytes =
        from_hex(word.starts_with(kOption) ? word.substr(kOption.size()) : std::string());
    if (!bytes || bytes->size() != 32) {
      refuse(requirement, "'" + word + "' is not allowed after a requirement",
             "only --hash=sha256: and 64 lower-case hex digits may follow it");
    }
    requirement.hashes.push_back(word.substr(kOption.size()));
  }
}

Requirement make(const Recipe& recipe, std::string text, std::string origin, Position position) {
  Requirement requirement{.text = std::move(text),
                          .name = {},
                          .hashes = {},
                          .layer = recipe.name,
                          .origin = std::move(origin),
                          .position = std::move(position)};
  take_hashes(requirement);
  requirement.name = requirement_name(requirement.text);
  if (requirement.name.empty()) {
    refuse(requirement, "'" + requirement.text + "' is no requirement",
           "write a name with a version, such as 'numpy>=2'");
  }
  return requirement;
}

Position line_position(const WheelsSpec& spec, int number, const std::vector<std::string>& lines) {
  const std::string& line = lines.at(static_cast<std::size_t>(number - 1));
  const std::string_view shown = trim(line);
  return {.file = spec.requirements_file,
          .line = number,
          .column = static_cast<int>(line.find(shown)) + 1,
          .source_line = line,
          .width = static_cast<int>(std::max<std::size_t>(1, shown.size()))};
}

}  // namespace

std::string requirement_name(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_name_char(text[end])) ++end;
  const std::string_view name = text.substr(0, end);
  if (name.empty() || !is_alnum(name.front()) || !is_alnum(name.back())) return {};
  return normalize_distribution(name);
}

std::vector<Requirement> read_requirements(const Recipe& recipe) {
  std::vector<Requirement> requirements;
  const auto* spec = std::get_if<WheelsSpec>(&recipe.spec);
  if (spec == nullptr) return requirements;
  for (const std::string& text : spec->requires_) {
    requirements.push_back(make(recipe, text, recipe.file, recipe.position));
  }
  const std::vector<std::string> lines = split(spec->requirements_text, '\n');
  for (const RequirementLine& line : requirement_lines(spec->requirements_text)) {
    requirements.push_back(make(recipe, line.text,
                                spec->requirements_file + ":" + std::to_string(line.line),
                                line_position(*spec, line.line, lines)));
  }
  return requirements;
}

}  // namespace img
