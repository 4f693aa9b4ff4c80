// SPDX-License-Identifier: Apache-2.0
// Puts the rows of all tiers together and finds one by its id.

#include "validators/judge/catalogue.h"

#include "builder/base/text.h"
#include "validators/judge/catalogue_rows.h"

#include <algorithm>
#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<Severity, std::string_view>, 4> kSeverities{{
    {Severity::low, "low"},
    {Severity::medium, "medium"},
    {Severity::high, "high"},
    {Severity::critical, "critical"},
}};

std::vector<CheckInfo> all_rows() {
  std::vector<CheckInfo> rows = static_rows();
  for (const std::vector<CheckInfo>& more : {container_rows(), gpu_rows()}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

}  // namespace

std::string_view to_string(Severity severity) {
  for (const auto& [known, name] : kSeverities) {
    if (known == severity) return name;
  }
  return "unknown";
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (const auto& [severity, name] : kSeverities) {
    if (name == text) return severity;
  }
  return std::nullopt;
}

const std::vector<CheckInfo>& catalogue() {
  static const std::vector<CheckInfo> rows = all_rows();
  return rows;
}

const CheckInfo* find_check(std::string_view id) {
  const std::string wanted = to_lower_ascii(id);
  const auto& rows = catalogue();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const CheckInfo& info) {
    return to_lower_ascii(info.id) == wanted;
  });
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace img
