// SPDX-License-Identifier: Apache-2.0
// JSON at the edge: a strict reader and one canonical writer.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace img {

using Json = nlohmann::json;  // std::map objects: keys are always sorted bytewise

struct JsonLimits {
  std::uint64_t bytes = 64ull << 20;
  int depth = 64;
};

/// Parses exactly one JSON document: duplicate keys, trailing bytes, invalid UTF-8, numbers that
/// are not int64/uint64-exact integers or finite doubles, and excess depth or size are errors
/// (InputError with file:line:col). `name` is what messages call the document.
Json parse_json(std::string_view text, const std::string& name, JsonLimits limits = {});

/// Canonical form: sorted keys, no whitespace, UTF-8 unescaped. The form of all OCI documents.
std::string canonical_json(const Json& value);
/// The same with two-space indent and a final newline: the form of files people read and diff.
std::string pretty_json(const Json& value);

/// Reads the fields of one JSON object and complains about the rest. Errors name `path`,
/// e.g. "lock.json: wheels[3].sha256: expected a string, found a number".
class JsonReader {
 public:
  /// `value` must be an object (else InputError) and outlive the reader.
  JsonReader(const Json& value, std::string document, std::string path);

  std::string string(const char* key);
  std::uint64_t unsigned_integer(const char* key);
  bool boolean(const char* key);
  /// Missing or null gives the default.
  std::string string_or(const char* key, std::string fallback);
  const Json* find(const char* key);  ///< nullptr when missing; marks it as known
  const Json& object(const char* key);
  const Json& array(const char* key);
  std::vector<std::string> string_list(const char* key);  ///< empty when missing or null
  /// Throws InputError for the first key that was never asked for, with "did you mean".
  void finish() const;

  std::string path_of(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, const std::string& problem) const;

 private:
  const Json& required(const char* key);
  const Json& value_;
  std::string document_;
  std::string path_;
  std::vector<std::string> known_;
};

}  // namespace img
