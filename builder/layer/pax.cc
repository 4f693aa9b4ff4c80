// SPDX-License-Identifier: Apache-2.0
// Strict parser of PAX records: a reader that skips malformed ones can be led past an entry.
#include "builder/layer/pax.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <optional>

namespace img {
namespace {

/// Takes the next record off `text`; nullopt when it is malformed.
std::optional<std::string_view> take_record(std::string_view& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos || space > 10) return std::nullopt;
  const auto length = parse_decimal(text.substr(0, space));
  if (!length || *length > text.size() || *length < space + 4) return std::nullopt;
  std::string_view record = text.substr(space + 1, *length - space - 1);
  if (record.back() != '\n') return std::nullopt;
  record.remove_suffix(1);
  text.remove_prefix(*length);
  return record;
}

}  // namespace

PaxRecords parse_pax(std::string_view text) {
  PaxRecords records;
  while (!text.empty()) {
    const std::optional<std::string_view> record = take_record(text);
    const std::size_t equals = record ? record->find('=') : std::string_view::npos;
    if (equals == std::string_view::npos || equals == 0) {
      throw InputError("a PAX header has a malformed record");
    }
    const std::string key(record->substr(0, equals));
    if (!records.emplace(key, record->substr(equals + 1)).second) {
      throw InputError("a PAX header has the record '" + key + "' twice");
    }
  }
  return records;
}

}  // namespace img
