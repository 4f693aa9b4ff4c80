// SPDX-License-Identifier: Apache-2.0
// Members that several OCI documents share, read from and written to JSON (private to this
// library).
#pragma once

#include "builder/base/json.h"
#include "builder/oci/descriptor.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace img::oci_json {

// Writing: empty values are left out, as the image-spec's own types do it.
void put(Json& object, const char* key, const std::string& value);
void put(Json& object, const char* key, const std::vector<std::string>& values);
void put(Json& object, const char* key, const std::map<std::string, std::string>& values);

// Reading: a missing member and null are the same.
/// nullptr when missing or null.
const Json* find(JsonReader& reader, const char* key);
std::string text_or_empty(JsonReader& reader, const char* key);
std::vector<std::string> texts(JsonReader& reader, const char* key);
std::map<std::string, std::string> text_map(JsonReader& reader, const char* key);
/// Keys of an object whose values say nothing ({"/data": {}}), sorted.
std::vector<std::string> key_set(JsonReader& reader, const char* key);
Digest digest(JsonReader& reader, const char* key);
std::vector<Descriptor> descriptors(JsonReader& reader, const char* key,
                                    const std::string& document);

/// "path[3]"
std::string indexed(const std::string& path, std::size_t index);

}  // namespace img::oci_json
