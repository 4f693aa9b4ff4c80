// SPDX-License-Identifier: Apache-2.0
// Which requirements a recipe may hold: names with versions, never an address or an option.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct RequirementProblem {
  std::string message;
  std::string hint;
};

/// nullopt when `text` is a PEP 508 requirement by name ("torch==2.8.0; python_version < '3.13'").
/// What the name's versions mean is the resolver's business.
std::optional<RequirementProblem> problem_of_requirement(std::string_view text);

/// The requirements of a requirements.txt, comments and continued lines taken care of.
struct RequirementLine {
  int line;  ///< from 1, where it starts
  std::string text;
};
std::vector<RequirementLine> requirement_lines(std::string_view text);

/// ManifestError at the first line of `file` that a recipe may not hold.
void check_requirements_text(std::string_view text, const std::string& file);

}  // namespace img
