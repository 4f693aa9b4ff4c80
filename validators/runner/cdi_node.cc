// SPDX-License-Identifier: Apache-2.0
// Builds the common tree from what the two readers give, and reads typed values from it.
#include "validators/runner/cdi_node.h"

#include "builder/base/json.h"
#include "builder/base/text.h"
#include "builder/base/yaml.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::uint64_t kMostBytes = 1 << 20;

std::optional<std::uint64_t> parse_octal(std::string_view text) {
  std::uint64_t value = 0;
  if (text.size() > 12) return std::nullopt;
  for (const char digit : text) {
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(digit - '0');
  }
  return value;
}

const char* name_of_kind(CdiNode::Kind kind) {
  switch (kind) {
    case CdiNode::Kind::null:
      return "nothing";
    case CdiNode::Kind::boolean:
      return "true or false";
    case CdiNode::Kind::number:
      return "a number";
    case CdiNode::Kind::text:
    case CdiNode::Kind::plain:
      return "text";
    case CdiNode::Kind::list:
      return "a list";
    case CdiNode::Kind::mapping:
      return "a mapping";
  }
  return "nothing";
}

}  // namespace

class CdiBuilder {
 public:
  explicit CdiBuilder(const std::string& file) : file_(file) {}

  CdiNode from_json(const std::string& text) const {
    const Json value = parse_json(text, file_, {.bytes = kMostBytes});
    // JSON is YAML, whose reader knows where values are. A tab in JSON only stands between values.
    std::optional<YamlNode> places;
    try {
      std::string spaced = text;
      std::replace(spaced.begin(), spaced.end(), '\t', ' ');
      places = parse_yaml(std::move(spaced), file_);
    } catch (const ManifestError&) {
      // Text that only JSON can say; then errors name the path alone.
    }
    return node(value, places ? &*places : nullptr, "");
  }
  CdiNode from_yaml(std::string text) const { return node(parse_yaml(std::move(text), file_), ""); }

 private:
  CdiNode start(const YamlNode* place, const std::string& path) const {
    CdiNode node;
    node.file_ = file_;
    node.path_ = path;
    if (place != nullptr) node.position_ = place->position();
    return node;
  }

  CdiNode node(const Json& value, const YamlNode* place, const std::string& path) const {
    CdiNode node = start(place, path);
    if (value.is_object()) {
      node.kind_ = CdiNode::Kind::mapping;
      const bool matches = place != nullptr && place->kind() == YamlNode::Kind::mapping;
      for (const auto& [key, member] : value.items()) {
        node.members_.emplace_back(
            key, this->node(member, matches ? place->find(key) : nullptr, below(path, key)));
      }
    } else if (value.is_array()) {
      node.kind_ = CdiNode::Kind::list;
      const bool matches = place != nullptr && place->kind() == YamlNode::Kind::sequence &&
                           place->items().size() == value.size();
      for (std::size_t i = 0; i < value.size(); ++i) {
        node.items_.push_back(
            this->node(value[i], matches ? &place->items()[i] : nullptr, below(path, i)));
      }
    } else if (value.is_string()) {
      node.kind_ = CdiNode::Kind::text;
      node.text_ = value.get<std::string>();
    } else if (!value.is_null()) {
      node.kind_ = value.is_boolean() ? CdiNode::Kind::boolean : CdiNode::Kind::number;
      node.text_ = value.dump();
    }
    return node;
  }

  CdiNode node(const YamlNode& value, const std::string& path) const {
    CdiNode node = start(&value, path);
    switch (value.kind()) {
      case YamlNode::Kind::null:
        break;
      case YamlNode::Kind::scalar:
        node.kind_ = value.is_quoted() ? CdiNode::Kind::text : CdiNode::Kind::plain;
        node.text_ = value.text();
        break;
      case YamlNode::Kind::sequence:
        node.kind_ = CdiNode::Kind::list;
        for (const YamlNode& item : value.items()) {
          node.items_.push_back(this->node(item, below(path, node.items_.size())));
        }
        break;
      case YamlNode::Kind::mapping:
        node.kind_ = CdiNode::Kind::mapping;
        for (const auto& [key, member] : value.members()) {
          node.members_.emplace_back(key.text(), this->node(member, below(path, key.text())));
        }
        break;
    }
    return node;
  }

  static std::string below(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
  }
  static std::string below(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
  }

  const std::string& file_;
};

CdiNode CdiNode::parse(std::string text, const std::string& name) {
  const CdiBuilder builder(name);
  try {
    return name.ends_with(".json") ? builder.from_json(text) : builder.from_yaml(std::move(text));
  } catch (const InputError& error) {
    throw UnavailableError(error.text());
  } catch (const ManifestError& error) {
    throw UnavailableError(error.text());
  }
}

const std::string& CdiNode::as_text(std::string_view what) const {
  if (kind_ != Kind::text && kind_ != Kind::plain) fail_type(what, "text");
  if (text_.find('\0') != std::string::npos) fail(std::string(what) + " holds a NUL");
  return text_;
}

std::uint64_t CdiNode::as_number(std::string_view what, std::uint64_t most) const {
  if (kind_ != Kind::number && kind_ != Kind::plain) fail_type(what, "a number");
  const bool octal = kind_ == Kind::plain && text_.size() > 1 && text_.front() == '0';
  const auto value = octal ? parse_octal(text_) : parse_decimal(text_);
  if (value && *value <= most) return *value;
  fail(std::string(what) + " must be a number from 0 to " + std::to_string(most) + ", not '" +
       text_ + "'");
}

const std::vector<CdiNode>& CdiNode::as_list(std::string_view what) const {
  if (kind_ != Kind::list) fail_type(what, "a list");
  return items_;
}

const std::vector<std::pair<std::string, CdiNode>>& CdiNode::as_mapping(
    std::string_view what) const {
  if (kind_ != Kind::mapping) fail_type(what, "a mapping");
  return members_;
}

void CdiNode::fail(const std::string& message, const std::string& hint) const {
  ErrorText text{.message = message, .position = position_, .hint = hint};
  if (!position_) {
    text.message = "'" + file_ + "': " + message;
    text.details.push_back({"at", path_});
  }
  throw UnavailableError(std::move(text));
}

void CdiNode::fail_type(std::string_view what, const char* expected) const {
  fail(std::string(what) + ": expected " + expected + ", found " + name_of_kind(kind_));
}

const CdiNode* CdiReader::optional(const char* key) {
  known_.emplace_back(key);
  for (const auto& [name, member] : node_.as_mapping(what_)) {
    if (name == key) return &member;
  }
  return nullptr;
}

const CdiNode& CdiReader::required(const char* key) {
  const CdiNode* member = optional(key);
  if (member == nullptr) node_.fail(name_of(key) + " is missing");
  return *member;
}

std::string CdiReader::text_or(const char* key, std::string fallback) {
  const CdiNode* member = optional(key);
  return member == nullptr ? std::move(fallback) : member->as_text(name_of(key));
}

std::vector<std::string> CdiReader::text_list(const char* key) {
  std::vector<std::string> list;
  const CdiNode* member = optional(key);
  if (member == nullptr) return list;
  for (const CdiNode& item : member->as_list(name_of(key))) {
    list.push_back(item.as_text("an entry of " + name_of(key)));
  }
  return list;
}

std::string CdiReader::name_of(std::string_view key) const {
  return "key '" + std::string(key) + "' of " + what_;
}

void CdiReader::finish() const {
  for (const auto& [name, member] : node_.as_mapping(what_)) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const auto near = did_you_mean(name, known_);
    member.fail("unknown key '" + name + "' in " + what_,
                near ? "did you mean '" + *near + "'?" : "");
  }
}

}  // namespace img
