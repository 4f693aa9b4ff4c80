// SPDX-License-Identifier: Apache-2.0
// Descriptors and platforms from and to JSON.
#include "builder/oci/descriptor.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/oci/json_members.h"

#include <algorithm>
#include <limits>

namespace img {
namespace {

bool is_platform_part(const std::string& text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

/// RFC 6838 restricted names around one slash.
bool is_media_type(const std::string& text) {
  static constexpr std::string_view kMarks = "!#$&-^_.+";
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) return false;
  if (text.size() > 255) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_alnum =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (i == slash || is_alnum) continue;
    if (i == 0 || i == slash + 1 || kMarks.find(c) == std::string_view::npos) return false;
  }
  return true;
}

Json platform_json(const Platform& platform) {
  Json json = {{"architecture", platform.architecture}, {"os", platform.os}};
  oci_json::put(json, "variant", platform.variant);
  return json;
}

Platform read_platform(const Json& value, const std::string& document, const std::string& path) {
  JsonReader reader(value, document, path);
  return Platform{.os = reader.string("os"),
                  .architecture = reader.string("architecture"),
                  .variant = oci_json::text_or_empty(reader, "variant")};
}

/// Size in bytes: an int64 in the spec, never negative.
std::uint64_t read_size(JsonReader& reader) {
  const Json* value = reader.find("size");
  if (value != nullptr && value->is_number_integer() && !value->is_number_unsigned() &&
      value->get<std::int64_t>() < 0) {
    reader.fail("size", "a size is not negative");
  }
  const std::uint64_t size = reader.unsigned_integer("size");
  if (size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    reader.fail("size", "a size is below 2^63");
  }
  return size;
}

}  // namespace

std::optional<Platform> parse_platform(std::string_view text) {
  const std::vector<std::string> parts = split(text, '/');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  if (!std::all_of(parts.begin(), parts.end(), is_platform_part)) return std::nullopt;
  return Platform{.os = parts[0],
                  .architecture = parts[1],
                  .variant = parts.size() == 3 ? parts[2] : std::string()};
}

std::string to_string(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

Json to_json(const Descriptor& descriptor) {
  Json json = {{"mediaType", descriptor.media_type.str()},
               {"digest", descriptor.digest.str()},
               {"size", descriptor.size}};
  if (descriptor.platform) json["platform"] = platform_json(*descriptor.platform);
  oci_json::put(json, "annotations", descriptor.annotations);
  oci_json::put(json, "artifactType", descriptor.artifact_type);
  return json;
}

Descriptor parse_descriptor(const Json& value, const std::string& document,
                            const std::string& path) {
  JsonReader reader(value, document, path);
  const std::string media_type = reader.string("mediaType");
  if (!is_media_type(media_type)) reader.fail("mediaType", "'" + media_type + "' is no media type");
  Descriptor descriptor{.media_type = MediaType(media_type),
                        .digest = oci_json::digest(reader, "digest"),
                        .size = read_size(reader),
                        .annotations = oci_json::text_map(reader, "annotations"),
                        .artifact_type = oci_json::text_or_empty(reader, "artifactType")};
  if (const Json* platform = oci_json::find(reader, "platform")) {
    descriptor.platform = read_platform(*platform, document, reader.path_of("platform"));
  }
  return descriptor;
}

}  // namespace img
