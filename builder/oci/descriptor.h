// SPDX-License-Identifier: Apache-2.0
// Descriptors and platforms (image-spec descriptor.md, image-index.md).
#pragma once

#include "builder/base/json.h"
#include "builder/oci/digest.h"
#include "builder/oci/media_type.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace img {

using Annotations = std::map<std::string, std::string>;

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;  ///< empty: none
  friend auto operator<=>(const Platform&, const Platform&) = default;
};
/// "linux/amd64[/variant]"; nullopt when it has not that form.
std::optional<Platform> parse_platform(std::string_view text);
std::string to_string(const Platform& platform);

struct Descriptor {
  MediaType media_type;
  Digest digest;
  std::uint64_t size = 0;
  std::optional<Platform> platform = {};
  Annotations annotations = {};
  std::string artifact_type = {};
};

Json to_json(const Descriptor& descriptor);
/// InputError (named by `document` and `path`) for anything malformed, negative sizes included.
Descriptor parse_descriptor(const Json& value, const std::string& document,
                            const std::string& path);

}  // namespace img
