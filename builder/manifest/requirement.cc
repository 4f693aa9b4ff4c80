// SPDX-License-Identifier: Apache-2.0
// Which requirements a recipe may hold: names with versions, never an address or an option.
#include "builder/manifest/requirement.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

namespace img {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool is_edge_character(char c) { return is_name_character(c) && c != '-' && c != '_' && c != '.'; }

bool looks_like_path(std::string_view text) {
  return text.starts_with('.') || text.starts_with('/') || text.ends_with(".whl") ||
         text.ends_with(".tar.gz") || text.find("://") < text.find(';');
}

/// "pkg --hash=sha256:…" as other tools write it: the hashes are left out, our lock has its own.
std::string_view without_hashes(std::string_view text) {
  const std::size_t hash = text.find(" --hash=");
  return hash == std::string_view::npos ? text : trim(text.substr(0, hash));
}

/// A '#' starts a comment at the start of a line or after a blank (a URL fragment does not).
std::string_view without_comment(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
  }
  return line;
}

}  // namespace

std::optional<RequirementProblem> problem_of_requirement(std::string_view text) {
  const std::string shown(text);
  if (text.empty()) return RequirementProblem{"a requirement is empty", ""};
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return RequirementProblem{"requirement '" + shown + "' holds a control character", ""};
    }
  }
  if (text[0] == '-') {
    return RequirementProblem{"'" + shown + "' is an option, not a requirement",
                              "say which index a recipe uses with 'index', by name"};
  }
  std::size_t end = 0;
  while (end < text.size() && is_name_character(text[end])) ++end;
  const std::string_view name = text.substr(0, end);
  std::string_view rest = trim(text.substr(end));
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) {
      return RequirementProblem{"requirement '" + shown + "' has '[' without ']'", ""};
    }
    rest = trim(rest.substr(close + 1));
  }
  if (rest.starts_with('@') || looks_like_path(text)) {
    return RequirementProblem{"requirement '" + shown + "' names an address or a file",
                              "write a name with a version; 'index' says where it comes from"};
  }
  const bool good_name =
      !name.empty() && is_edge_character(name.front()) && is_edge_character(name.back());
  const bool good_rest =
      rest.empty() || std::string_view("<>=!~;(").find(rest[0]) != std::string_view::npos;
  if (!good_name || !good_rest) {
    return RequirementProblem{"'" + shown + "' is no requirement",
                              "write a name with a version, such as 'numpy>=2'"};
  }
  return std::nullopt;
}

std::vector<RequirementLine> requirement_lines(std::string_view text) {
  std::vector<RequirementLine> requirements;
  std::string pending;
  int start = 0;
  int number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    std::string_view content = trim(without_comment(line));
    const bool continues = content.ends_with('\\');
    if (continues) content = trim(content.substr(0, content.size() - 1));
    if (pending.empty()) start = number;
    if (!pending.empty() && !content.empty()) pending += ' ';
    pending += content;
    if (continues) continue;
    if (!pending.empty()) requirements.push_back({start, pending});
    pending.clear();
  }
  if (!pending.empty()) requirements.push_back({start, pending});
  return requirements;
}

void check_requirements_text(std::string_view text, const std::string& file) {
  const std::vector<std::string> lines = split(text, '\n');
  for (const RequirementLine& requirement : requirement_lines(text)) {
    const auto problem = problem_of_requirement(without_hashes(requirement.text));
    if (!problem) continue;
    const std::string source = lines[static_cast<std::size_t>(requirement.line) - 1];
    const std::size_t first = source.find_first_not_of(" \t");
    const std::string_view shown = trim(source);
    throw ManifestError(ErrorText{problem->message,
                                  {},
                                  Position{file, requirement.line, static_cast<int>(first) + 1,
                                           source, static_cast<int>(shown.size())},
                                  problem->hint});
  }
}

}  // namespace img
