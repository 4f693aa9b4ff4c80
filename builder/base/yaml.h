// SPDX-License-Identifier: Apache-2.0
// Strict YAML: an own document tree with positions; scalars stay text.
#pragma once

#include "builder/base/error.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace img {

/// The text of a file with its lines, shared by the nodes that come from it.
struct YamlFile {
  std::string name;
  std::string text;
};

/// One node. Duplicate keys, anchors, aliases, tags, merges, directives, several documents, keys
/// that are not text, tabs in indentation, a byte-order mark, control characters, depth > 64, >
/// 100,000 nodes and > 1 MiB never get here. CRLF line ends are read as LF.
class YamlNode {
 public:
  enum class Kind { null, scalar, sequence, mapping };

  Kind kind() const { return kind_; }
  bool is_quoted() const {
    return quoted_;
  }  ///< a quoted scalar ("3.10" is text, no is still "no")
  const std::string& text() const { return text_; }
  const std::vector<YamlNode>& items() const { return items_; }
  const std::vector<std::pair<YamlNode, YamlNode>>& members() const { return members_; }
  const YamlNode* find(std::string_view key) const;  ///< mapping only; nullptr when absent

  /// Position of this node for an error.
  Position position() const;
  /// ManifestError at this node.
  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const;

  // Typed access: fails with position and what was expected ("expected a list, found text").
  // `what` names the node in the message: "key 'suite' in layer 'x'".
  const std::string& as_text(std::string_view what) const;
  bool as_bool(std::string_view what) const;  ///< only true and false
  const std::vector<YamlNode>& as_sequence(std::string_view what) const;
  const std::vector<std::pair<YamlNode, YamlNode>>& as_mapping(std::string_view what) const;
  std::vector<std::string> as_text_list(std::string_view what) const;

 private:
  friend class YamlBuilder;
  Kind kind_ = Kind::null;
  bool quoted_ = false;
  int line_ = 0;    // from 1
  int column_ = 0;  // from 1
  int width_ = 1;   // bytes of source to underline
  std::string text_;
  std::vector<YamlNode> items_;
  std::vector<std::pair<YamlNode, YamlNode>> members_;
  std::shared_ptr<const YamlFile> file_;
};

/// Parses one document; ManifestError with position for anything that is not strict YAML.
/// `name` is the path as the user knows it.
YamlNode parse_yaml(std::string text, const std::string& name);

/// Reads the members of one mapping and complains about unknown keys with "did you mean".
class YamlReader {
 public:
  /// `what` describes the mapping in messages, e.g. "layer 'python'".
  YamlReader(const YamlNode& node, std::string what);
  const YamlNode& required(const char* key);
  const YamlNode* optional(const char* key);
  std::string text(const char* key);
  std::string text_or(const char* key, std::string fallback);
  std::vector<std::string> text_list(const char* key);  ///< empty when absent
  bool boolean_or(const char* key, bool fallback);
  /// "key 'suite' in layer 'x'": the `what` of a member for typed access.
  std::string name_of(std::string_view key) const;
  const std::string& what() const { return what_; }
  const YamlNode& node() const { return node_; }
  /// Fails at the first member that was never asked for.
  void finish() const;

 private:
  const YamlNode& node_;
  std::string what_;
  std::vector<std::string> known_;
};

}  // namespace img
