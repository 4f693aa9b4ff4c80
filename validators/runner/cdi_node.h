// SPDX-License-Identifier: Apache-2.0
// A document in JSON or YAML as one tree with positions, so that one parser reads both.
#pragma once

#include "builder/base/error.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace img {

/// One value of a specification. All errors are UnavailableErrors: what is wrong with a
/// specification is wrong with this machine, and neither with the image nor with the command line.
class CdiNode {
 public:
  enum class Kind { null, boolean, number, text, plain, list, mapping };

  /// JSON when `name` ends in ".json", else YAML. Strict as builder/base reads them; at most 1 MiB.
  static CdiNode parse(std::string text, const std::string& name);

  // Typed access; `what` names the value in messages: "key 'path' of a device node".
  const std::string& as_text(std::string_view what) const;
  /// Also an octal number of YAML ("0666").
  std::uint64_t as_number(std::string_view what, std::uint64_t most) const;
  const std::vector<CdiNode>& as_list(std::string_view what) const;
  const std::vector<std::pair<std::string, CdiNode>>& as_mapping(std::string_view what) const;

  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const;

 private:
  friend class CdiBuilder;
  [[noreturn]] void fail_type(std::string_view what, const char* expected) const;

  Kind kind_ = Kind::null;
  std::string text_;  // of boolean, number, text and plain (a YAML scalar without quotes)
  std::vector<CdiNode> items_;
  std::vector<std::pair<std::string, CdiNode>> members_;
  std::string file_, path_;  // "devices[0].name"
  std::optional<Position> position_;
};

/// Reads the members of one mapping. The specification says of unknown keys that loading fails.
class CdiReader {
 public:
  CdiReader(const CdiNode& node, std::string what) : node_(node), what_(std::move(what)) {}
  /// nullptr when absent.
  const CdiNode* optional(const char* key);
  const CdiNode& required(const char* key);
  std::string text(const char* key) { return required(key).as_text(name_of(key)); }
  std::string text_or(const char* key, std::string fallback);
  std::vector<std::string> text_list(const char* key);  ///< empty when absent
  std::string name_of(std::string_view key) const;
  /// Fails at the first member that was never asked for.
  void finish() const;

 private:
  const CdiNode& node_;
  std::string what_;
  std::vector<std::string> known_;
};

}  // namespace img
