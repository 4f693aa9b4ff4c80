// SPDX-License-Identifier: Apache-2.0
// RECORD: CSV rows of what a wheel holds, read and written.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/wheel.h"

#include <algorithm>
#include <map>

namespace img {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

InputError record_error(const std::string& name, int line, const std::string& rule) {
  return InputError("'" + printable(name) + "': RECORD line " + std::to_string(line) + " " + rule);
}

/// Splits CSV of the dialect that Python's csv module reads by default, one row at a time.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  bool next(std::vector<std::string>& fields) {
    if (rest_.empty()) return false;
    fields.clear();
    line_ = next_line_;
    bool more = true;
    while (more) more = take_field(fields);
    return true;
  }
  int line() const { return line_; }

 private:
  /// Reads one field and what ends it; true when another field of this row follows.
  bool take_field(std::vector<std::string>& fields) {
    std::string field = !rest_.empty() && rest_.front() == '"' ? quoted() : plain();
    fields.push_back(std::move(field));
    if (rest_.empty()) return false;
    if (rest_.front() == ',') {
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.starts_with("\r\n")) {
      rest_.remove_prefix(2);
    } else if (rest_.front() == '\n' || rest_.front() == '\r') {
      rest_.remove_prefix(1);
    } else {
      throw record_error(name_, line_, "has text after a closing quote");
    }
    ++next_line_;
    return false;
  }
  std::string plain() {
    const std::size_t size = std::min(rest_.find_first_of(",\r\n"), rest_.size());
    std::string field(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return field;
  }
  std::string quoted() {
    rest_.remove_prefix(1);
    std::string field;
    while (true) {
      const std::size_t size = rest_.find('"');
      if (size == std::string_view::npos)
        throw record_error(name_, line_, "has a quote that is never closed");
      field += rest_.substr(0, size);
      rest_.remove_prefix(size + 1);
      if (!rest_.starts_with('"')) break;
      field += '"';
      rest_.remove_prefix(1);
    }
    next_line_ += static_cast<int>(std::count(field.begin(), field.end(), '\n'));
    return field;
  }

  std::string_view rest_;
  const std::string& name_;
  int line_ = 0;
  int next_line_ = 1;
};

/// "sha256=47DEQp…"; some writers keep base64's padding.
void parse_hash(std::string_view text, RecordRow& row, const std::string& name, int line) {
  if (text.empty()) return;
  const std::size_t equals = text.find('=');
  const std::string algorithm = to_lower_ascii(text.substr(0, equals));
  std::string_view digits = equals == text.npos ? std::string_view{} : text.substr(equals + 1);
  while (digits.ends_with('=')) digits.remove_suffix(1);
  const auto value = from_base64url(digits);
  const std::size_t size = algorithm == "sha256"   ? 32
                           : algorithm == "sha384" ? 48
                           : algorithm == "sha512" ? 64
                                                   : 0;
  if (size == 0)
    throw record_error(
        name, line,
        "uses '" + printable(algorithm) + "'; the wheel format allows sha256, sha384 and sha512");
  if (!value || value->size() != size)
    throw record_error(name, line, "has a malformed " + algorithm + " value");
  if (algorithm == "sha256") {
    row.sha256.emplace();
    std::copy(value->begin(), value->end(), row.sha256->begin());
  } else {
    row.strong_hash = algorithm + "=" + std::string(digits);
  }
}

RecordRow parse_row(const std::vector<std::string>& fields, const std::string& name, int line) {
  if (fields.size() > 3) throw record_error(name, line, "has more than three fields");
  RecordRow row;
  row.path = fields[0];
  while (row.path.starts_with("./")) row.path.erase(0, 2);
  if (row.path.empty()) throw record_error(name, line, "has no path");
  if (!is_valid_utf8(row.path)) throw record_error(name, line, "has a path that is not UTF-8");
  if (fields.size() > 1) parse_hash(trim(fields[1]), row, name, line);
  const std::string_view size = fields.size() > 2 ? trim(fields[2]) : std::string_view{};
  if (!size.empty()) {
    row.size = parse_decimal(size);
    if (!row.size)
      throw record_error(name, line, "has the size '" + printable(size) + "', which is no number");
  }
  return row;
}

bool same(const RecordRow& a, const RecordRow& b) {
  return a.sha256 == b.sha256 && a.size == b.size && a.strong_hash == b.strong_hash;
}

std::string quote(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::vector<RecordRow> parse_record(std::string_view text, const std::string& name) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  CsvReader reader(text, name);
  std::vector<RecordRow> rows;
  std::map<std::string, std::size_t, std::less<>> seen;
  std::vector<std::string> fields;
  while (reader.next(fields)) {
    if (fields.size() == 1 && trim(fields[0]).empty()) continue;
    RecordRow row = parse_row(fields, name, reader.line());
    const auto [place, is_new] = seen.emplace(row.path, rows.size());
    if (is_new) {
      rows.push_back(std::move(row));
    } else if (!same(rows[place->second], row)) {
      throw record_error(name, reader.line(),
                         "has another row for '" + printable(row.path) + "' with other values");
    }
  }
  return rows;
}

std::string format_record(const std::vector<RecordRow>& rows) {
  std::string text;
  for (const RecordRow& row : rows) {
    text += quote(row.path) + ',';
    if (row.sha256) text += "sha256=" + to_base64url(*row.sha256);
    text += row.strong_hash + ',';
    if (row.size) text += std::to_string(*row.size);
    text += '\n';
  }
  return text;
}

}  // namespace img
