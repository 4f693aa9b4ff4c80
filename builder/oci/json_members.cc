// SPDX-License-Identifier: Apache-2.0
// Members that several OCI documents share, read from and written to JSON.
#include "builder/oci/json_members.h"

#include "builder/base/error.h"

namespace img::oci_json {

void put(Json& object, const char* key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void put(Json& object, const char* key, const std::vector<std::string>& values) {
  if (!values.empty()) object[key] = values;
}

void put(Json& object, const char* key, const std::map<std::string, std::string>& values) {
  if (!values.empty()) object[key] = values;
}

const Json* find(JsonReader& reader, const char* key) {
  const Json* value = reader.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text_or_empty(JsonReader& reader, const char* key) { return reader.string_or(key, ""); }

std::vector<std::string> texts(JsonReader& reader, const char* key) {
  if (find(reader, key) == nullptr) return {};
  return reader.string_list(key);
}

std::map<std::string, std::string> text_map(JsonReader& reader, const char* key) {
  std::map<std::string, std::string> result;
  if (find(reader, key) == nullptr) return result;
  for (const auto& [name, value] : reader.object(key).items()) {
    if (!value.is_string()) reader.fail(key, "value of '" + name + "' is no text");
    result.emplace(name, value.get<std::string>());
  }
  return result;
}

std::vector<std::string> key_set(JsonReader& reader, const char* key) {
  std::vector<std::string> result;
  if (find(reader, key) == nullptr) return result;
  for (const auto& [name, value] : reader.object(key).items()) {
    if (!value.is_object() && !value.is_null()) {
      reader.fail(key, "value of '" + name + "' is no object");
    }
    result.push_back(name);
  }
  return result;
}

Digest digest(JsonReader& reader, const char* key) {
  const std::string text = reader.string(key);
  std::optional<Digest> value = Digest::try_parse(text);
  if (!value) reader.fail(key, "'" + text + "' is no digest");
  return *value;
}

std::vector<Descriptor> descriptors(JsonReader& reader, const char* key,
                                    const std::string& document) {
  std::vector<Descriptor> result;
  for (const Json& value : reader.array(key)) {
    result.push_back(
        parse_descriptor(value, document, indexed(reader.path_of(key), result.size())));
  }
  return result;
}

std::string indexed(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

}  // namespace img::oci_json
