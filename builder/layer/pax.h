// SPDX-License-Identifier: Apache-2.0
// PAX extended header records (POSIX pax, "length key=value\n").
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace img {

using PaxRecords = std::map<std::string, std::string, std::less<>>;

/// InputError for anything malformed and for a key that comes twice.
PaxRecords parse_pax(std::string_view text);

}  // namespace img
