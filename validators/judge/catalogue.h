// SPDX-License-Identifier: Apache-2.0
// The checks that exist: what each reads, its rule, why it matters, and how to mend what it finds.
#pragma once

#include "validators/judge/finding.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

enum class Severity { low, medium, high, critical };
std::string_view to_string(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

struct CheckInfo {
  std::string_view id;  ///< stable: reports, policies and waivers name it
  Tier tier;
  Severity severity;
  std::string_view title;     ///< half a line
  std::string_view reads;     ///< what is looked at
  std::string_view rule;      ///< when it passes
  std::string_view why;       ///< what goes wrong in the field without it
  std::string_view incident;  ///< a real case, "project#number: …"
  std::string_view mend;      ///< what to do
};

/// All checks, by tier and then in a reader's order.
const std::vector<CheckInfo>& catalogue();
/// nullptr when there is none; ids are compared without case.
const CheckInfo* find_check(std::string_view id);

}  // namespace img
