// SPDX-License-Identifier: Apache-2.0
// Reads the fields of JSON objects with errors that name the place.
#include "builder/base/error.h"
#include "builder/base/json.h"
#include "builder/base/text.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace img {
namespace {

std::string kind_of(const Json& value) {
  switch (value.type()) {
    case Json::value_t::null:
      return "null";
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    default:
      return "a number";
  }
}

std::string mismatch(const std::string& expected, const Json& value) {
  return "expected " + expected + ", found " + kind_of(value);
}

/// "lock.json: wheels[3].sha256: "; the path is empty for the document itself.
std::string prefix(const std::string& document, const std::string& path) {
  return document + ": " + (path.empty() ? "" : path + ": ");
}

}  // namespace

JsonReader::JsonReader(const Json& value, std::string document, std::string path)
    : value_(value), document_(std::move(document)), path_(std::move(path)) {
  if (!value_.is_object()) {
    throw InputError(prefix(document_, path_) + mismatch("an object", value_));
  }
}

std::string JsonReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void JsonReader::fail(std::string_view key, const std::string& problem) const {
  throw InputError(prefix(document_, path_of(key)) + problem);
}

const Json* JsonReader::find(const char* key) {
  known_.emplace_back(key);
  const auto member = value_.find(key);
  return member == value_.end() ? nullptr : &*member;
}

const Json& JsonReader::required(const char* key) {
  const Json* const value = find(key);
  if (value == nullptr) {
    throw InputError(prefix(document_, path_) + "missing key '" + key + "'");
  }
  return *value;
}

std::string JsonReader::string(const char* key) {
  const Json& value = required(key);
  if (!value.is_string()) fail(key, mismatch("a string", value));
  return value.get<std::string>();
}

std::uint64_t JsonReader::unsigned_integer(const char* key) {
  const Json& value = required(key);
  if (!value.is_number_integer() ||
      (!value.is_number_unsigned() && value.get<std::int64_t>() < 0)) {
    fail(key, "expected an integer >= 0, found " +
                  (value.is_number() ? canonical_json(value) : kind_of(value)));
  }
  return value.get<std::uint64_t>();
}

bool JsonReader::boolean(const char* key) {
  const Json& value = required(key);
  if (!value.is_boolean()) fail(key, mismatch("a boolean", value));
  return value.get<bool>();
}

std::string JsonReader::string_or(const char* key, std::string fallback) {
  const Json* const value = find(key);
  if (value == nullptr || value->is_null()) return fallback;
  if (!value->is_string()) fail(key, mismatch("a string", *value));
  return value->get<std::string>();
}

const Json& JsonReader::object(const char* key) {
  const Json& value = required(key);
  if (!value.is_object()) fail(key, mismatch("an object", value));
  return value;
}

const Json& JsonReader::array(const char* key) {
  const Json& value = required(key);
  if (!value.is_array()) fail(key, mismatch("an array", value));
  return value;
}

std::vector<std::string> JsonReader::string_list(const char* key) {
  std::vector<std::string> items;
  const Json* const value = find(key);
  if (value == nullptr || value->is_null()) return items;
  if (!value->is_array()) fail(key, mismatch("an array", *value));
  for (const Json& item : *value) {
    if (!item.is_string()) {
      fail(std::string(key) + "[" + std::to_string(items.size()) + "]", mismatch("a string", item));
    }
    items.push_back(item.get<std::string>());
  }
  return items;
}

void JsonReader::finish() const {
  for (const auto& [key, unused] : value_.items()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::optional<std::string> near = did_you_mean(key, known_);
    throw InputError(ErrorText{.message = prefix(document_, path_) + "unknown key '" + key + "'",
                               .hint = near ? "did you mean '" + *near + "'?" : ""});
  }
}

}  // namespace img
