// SPDX-License-Identifier: Apache-2.0
// For each check, what makes it warn, be skipped or be blocked, beside what holds for its whole
// tier.
#pragma once

#include <string_view>

namespace img {

/// Empty: never, or for the reasons of its tier only.
struct CheckOutcomes {
  std::string_view id;
  std::string_view warns, skipped, blocked;
};

/// All empty for an id without a row.
const CheckOutcomes& outcomes_of(std::string_view id);

}  // namespace img
