// SPDX-License-Identifier: Apache-2.0
// Parses and evaluates NVIDIA_REQUIRE_*.

#include "validators/checks/requirement.h"

#include "builder/base/text.h"
#include "builder/manifest/compatibility.h"

#include <algorithm>
#include <array>
#include <optional>

namespace img {
namespace {

constexpr std::array<std::string_view, 6> kComparisons{"!=", "<=", ">=", "=", "<", ">"};

bool is_version_property(std::string_view property) {
  return property == "cuda" || property == "driver" || property == "arch";
}

/// What is wrong with a version; empty: nothing. The toolkit reads them as semantic versions.
std::string version_problem(const std::string& value) {
  const std::vector<std::string> parts = split(value, '.');
  if (parts.size() > 3) return "has more than three parts";
  for (const std::string& part : parts) {
    if (part.empty() || part.find_first_not_of("0123456789") != std::string::npos) {
      return "is no version";
    }
    if (part.size() > 1 && part.front() == '0') {
      return "has a part with a leading zero, which the container toolkit refuses";
    }
  }
  return {};
}

std::optional<Condition> parse_condition(const std::string& text,
                                         std::vector<std::string>& problems) {
  const std::size_t at = text.find_first_of("<>=!");
  if (at == std::string::npos || at == 0) {
    problems.push_back("'" + text + "' is no comparison");
    return std::nullopt;
  }
  Condition condition{.property = text.substr(0, at), .comparison = {}, .value = {}};
  for (const std::string_view comparison : kComparisons) {
    if (text.compare(at, comparison.size(), comparison) != 0) continue;
    condition.comparison = comparison;
    break;
  }
  condition.value = text.substr(at + condition.comparison.size());
  if (condition.comparison.empty() || condition.value.empty() ||
      condition.value.find_first_of("<>=!") != std::string::npos) {
    problems.push_back("'" + text + "' is no comparison");
    return std::nullopt;
  }
  if (!condition.known()) {
    problems.push_back("'" + text + "' asks for '" + condition.property +
                       "', of which the container toolkit takes no notice");
  } else if (is_version_property(condition.property)) {
    const std::string problem = version_problem(condition.value);
    if (!problem.empty()) problems.push_back("the version of '" + text + "' " + problem);
  }
  return condition;
}

int compare_with(const GpuHost& host, const Condition& condition) {
  if (condition.property == "brand") return host.brand.compare(condition.value);
  const std::string& own = condition.property == "cuda"     ? host.cuda
                           : condition.property == "driver" ? host.driver
                                                            : host.arch;
  return compare_dotted(own, condition.value);
}

bool holds(const Condition& condition, const GpuHost& host) {
  const int order = compare_with(host, condition);
  if (condition.comparison == "=") return order == 0;
  if (condition.comparison == "!=") return order != 0;
  if (condition.comparison == "<") return order < 0;
  if (condition.comparison == "<=") return order <= 0;
  if (condition.comparison == ">") return order > 0;
  return order >= 0;
}

}  // namespace

bool Condition::known() const { return is_version_property(property) || property == "brand"; }

Requirement parse_requirement(std::string_view text) {
  Requirement requirement;
  for (const std::string& term : split(text, ' ')) {
    if (term.empty()) continue;  // several spaces are one
    std::vector<Condition> conditions;
    for (const std::string& factor : split(term, ',')) {
      if (factor.empty()) {
        requirement.problems.push_back("'" + term + "' has an empty condition");
      } else if (auto condition = parse_condition(factor, requirement.problems)) {
        conditions.push_back(*std::move(condition));
      }
    }
    if (!conditions.empty()) requirement.alternatives.push_back(std::move(conditions));
  }
  return requirement;
}

bool is_satisfied(const Requirement& requirement, const GpuHost& host) {
  bool asked = false;
  for (const std::vector<Condition>& conditions : requirement.alternatives) {
    bool counts = false, all = true;
    for (const Condition& condition : conditions) {
      if (!condition.known()) continue;
      counts = true;
      all = all && holds(condition, host);
    }
    if (!counts) continue;
    asked = true;
    if (all) return true;
  }
  return !asked;
}

}  // namespace img
