// SPDX-License-Identifier: Apache-2.0
// The rules of entry paths.
#include "builder/layer/entry_path.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

namespace img {
namespace {

constexpr std::size_t kMaxPath = 4096;
constexpr std::size_t kMaxSegment = 255;

const char* broken_segment_rule(std::string_view segment) {
  if (segment.empty()) return "it has an empty segment";
  if (segment == ".") return "it has the segment '.'";
  if (segment == "..") return "it has the segment '..'";
  if (segment.size() > kMaxSegment) return "it has a segment of more than 255 bytes";
  return nullptr;
}

/// The rule that `text` breaks, nullptr when it breaks none.
const char* broken_rule(std::string_view text) {
  if (text.empty()) return "it is empty";
  if (text.size() > kMaxPath) return "it is longer than 4096 bytes";
  if (text.front() == '/') return "it is absolute";
  if (text.back() == '/') return "it ends with '/'";
  if (text.find('\0') != std::string_view::npos) return "it holds a NUL";
  if (!is_valid_utf8(text)) return "it is no valid UTF-8";
  while (true) {
    const std::size_t slash = text.find('/');
    if (const char* rule = broken_segment_rule(text.substr(0, slash))) return rule;
    if (slash == std::string_view::npos) return nullptr;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

EntryPath EntryPath::parse(std::string_view text) {
  if (const char* rule = broken_rule(text)) {
    throw InputError("'" + std::string(text.substr(0, kMaxPath)) + "' is no entry path: " + rule);
  }
  return EntryPath(std::string(text));
}

std::optional<EntryPath> EntryPath::parse_tar_name(std::string_view name) {
  std::string_view rest = name;
  if (rest.starts_with("./")) {
    rest.remove_prefix(2);
  } else if (rest.starts_with("/")) {
    rest.remove_prefix(1);
  } else if (rest == ".") {
    return std::nullopt;
  }
  if (rest.empty() && !name.empty()) return std::nullopt;
  if (rest.size() > 1 && rest.ends_with("/")) rest.remove_suffix(1);
  if (const char* rule = broken_rule(rest)) {
    throw InputError("'" + std::string(name.substr(0, kMaxPath)) + "' is no entry path: " + rule);
  }
  return EntryPath(std::string(rest));
}

std::string_view EntryPath::name() const {
  // npos + 1 == 0: a path without '/' is its own name.
  return std::string_view(text_).substr(text_.rfind('/') + 1);
}

std::optional<EntryPath> EntryPath::parent() const {
  const std::size_t slash = text_.rfind('/');
  if (slash == std::string::npos) return std::nullopt;
  return EntryPath(text_.substr(0, slash));
}

EntryPath EntryPath::operator/(std::string_view relative) const {
  return parse(text_ + "/" + std::string(relative));
}

bool EntryPath::is_under(const EntryPath& folder) const {
  return text_.size() > folder.text_.size() + 1 && text_[folder.text_.size()] == '/' &&
         text_.starts_with(folder.text_);
}

}  // namespace img
