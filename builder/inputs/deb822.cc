// SPDX-License-Identifier: Apache-2.0
// Control stanzas of Debian packages and indexes (deb822), read and written.
#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/inputs/debian.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

bool same_field(std::string_view a, std::string_view b) {
  return to_lower_ascii(a) == to_lower_ascii(b);
}

/// deb822(5): printable ASCII without space and colon, not starting with '#' or '-'.
bool is_field_name(std::string_view name) {
  return !name.empty() && name.front() != '#' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c > ' ' && c < 0x7f && c != ':'; });
}

class StanzaParser {
 public:
  StanzaParser(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  std::vector<DebianStanza> run() {
    while (!rest_.empty()) take_line();
    end_stanza();
    return std::move(stanzas_);
  }

 private:
  void take_line() {
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    ++line_;
    if (line.find('\0') != line.npos || line.find('\r') != line.npos)
      throw malformed("has a control character");
    if (trim(line).empty()) {
      end_stanza();
    } else if (line.front() == ' ' || line.front() == '\t') {
      if (field_.empty()) throw malformed("continues no field");
      while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
      value_ += "\n" + std::string(line);
    } else {
      start_field(line);
    }
  }

  void start_field(std::string_view line) {
    end_field();
    const std::size_t colon = line.find(':');
    if (colon == line.npos || !is_field_name(line.substr(0, colon)))
      throw malformed("is neither 'Field: value' nor a continuation");
    field_ = line.substr(0, colon);
    value_ = trim(line.substr(colon + 1));
    if (!seen_.insert(to_lower_ascii(field_)).second)
      throw malformed("has the field '" + field_ + "' for the second time");
  }

  void end_field() {
    if (!field_.empty()) stanza_.set(std::move(field_), std::move(value_));
    field_.clear();
    value_.clear();
  }

  void end_stanza() {
    end_field();
    if (!stanza_.fields().empty()) stanzas_.push_back(std::move(stanza_));
    stanza_ = {};
    seen_.clear();
  }

  InputError malformed(const std::string& rule) const {
    return InputError("'" + printable(name_) + "': line " + std::to_string(line_) + " " + rule);
  }

  std::string_view rest_;
  const std::string& name_;
  int line_ = 0;
  std::string field_;
  std::string value_;
  std::set<std::string> seen_;
  DebianStanza stanza_;
  std::vector<DebianStanza> stanzas_;
};

}  // namespace

std::optional<std::string> DebianStanza::find(std::string_view field) const {
  for (const auto& [name, value] : fields_) {
    if (same_field(name, field)) return value;
  }
  return std::nullopt;
}

void DebianStanza::set(std::string field, std::string value) {
  for (auto& [name, old_value] : fields_) {
    if (!same_field(name, field)) continue;
    old_value = std::move(value);
    return;
  }
  fields_.emplace_back(std::move(field), std::move(value));
}

std::string DebianStanza::format() const {
  std::string text;
  for (const auto& [name, value] : fields_) {
    // "Conffiles:" and the like have nothing on their first line.
    const bool bare = value.empty() || value.front() == '\n';
    text += name + (bare ? ":" : ": ") + value + "\n";
  }
  return text;
}

std::vector<DebianStanza> parse_deb822(std::string_view text, const std::string& name) {
  return StanzaParser(text, name).run();
}

}  // namespace img
