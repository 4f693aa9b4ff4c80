// SPDX-License-Identifier: Apache-2.0
// Makes the texts of a report safe for every form: they come from inside images.
#pragma once

#include "validators/report/report.h"

#include <string>
#include <string_view>

namespace img {

inline constexpr std::size_t kTextLimit = 4096;  ///< bytes of one text

/// Valid UTF-8; control characters but newline and tab as \xNN; what is over the limit is cut off
/// and counted.
std::string clean_text(std::string_view text);
/// The same report with every text clean.
Report cleaned(const Report& report);

}  // namespace img
