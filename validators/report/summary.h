// SPDX-License-Identifier: Apache-2.0
// What the forms for people share: order, one line for a check, numbers as text.
#pragma once

#include "validators/report/report.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// What a reader must act on comes first.
inline constexpr std::array<Status, 6> kByUrgency{Status::fail,   Status::blocked, Status::warn,
                                                  Status::waived, Status::skipped, Status::pass};

/// All results, most urgent status first, in the report's order within one.
std::vector<const CheckResult*> by_urgency(const Report& report);
/// From the catalogue; empty for a check that this program does not know.
std::string_view title_of(const CheckResult& check);
/// The reason, or for a pass the first evidence and how much more there is.
std::string line_of(const CheckResult& check);
/// "36 checks: 1 fail, 0 blocked, 2 warn, 0 waived, 3 skipped, 30 pass"
std::string counts_line(const Report& report);
/// The name, the digest, or how the user called it: whatever is known.
std::string image_title(const Report& report);
/// "allowed" or "denied" with the policy; empty without a verdict.
std::string verdict_line(const Report& report);
/// "0.42 s", "12.3 s"
std::string duration_text(double seconds);
/// Text on one line: newlines and tabs become spaces.
std::string on_one_line(std::string_view text);

}  // namespace img
