// SPDX-License-Identifier: Apache-2.0
// Image manifest and image index from and to JSON.
#include "builder/oci/image.h"

#include "builder/base/error.h"
#include "builder/oci/json_members.h"

#include <algorithm>
#include <initializer_list>
#include <tuple>

namespace img {
namespace {

/// A document must say what it is in one way only: one whose members fit two kinds, or whose media
/// type names another kind, means different things to different readers.
void require_kind(JsonReader& reader, const char* kind, bool (MediaType::*is_kind)() const,
                  std::initializer_list<const char*> members_of_the_other) {
  if (reader.unsigned_integer("schemaVersion") != 2) {
    reader.fail("schemaVersion", "only version 2 is supported");
  }
  const std::string text = oci_json::text_or_empty(reader, "mediaType");
  if (!text.empty() && !(MediaType(text).*is_kind)()) {
    reader.fail("mediaType", "'" + text + "' is not the type of an image " + kind);
  }
  for (const char* member : members_of_the_other) {
    if (reader.find(member) != nullptr) {
      reader.fail(member, std::string("an image ") + kind + " has no such member");
    }
  }
}

Json to_json_list(const std::vector<Descriptor>& descriptors) {
  Json list = Json::array();
  for (const Descriptor& descriptor : descriptors) list.push_back(to_json(descriptor));
  return list;
}

}  // namespace

Json to_json(const ImageManifest& manifest) {
  Json json = {{"schemaVersion", 2},
               {"mediaType", MediaType::manifest().str()},
               {"config", to_json(manifest.config)},
               {"layers", to_json_list(manifest.layers)}};
  oci_json::put(json, "annotations", manifest.annotations);
  return json;
}

ImageManifest parse_image_manifest(std::string_view text, const std::string& document) {
  const Json json = parse_json(text, document);
  JsonReader reader(json, document, "");
  require_kind(reader, "manifest", &MediaType::is_manifest, {"manifests", "fsLayers"});
  return ImageManifest{
      .config = parse_descriptor(reader.object("config"), document, reader.path_of("config")),
      .layers = oci_json::descriptors(reader, "layers", document),
      .annotations = oci_json::text_map(reader, "annotations")};
}

Json to_json(const ImageIndex& index) {
  std::vector<Descriptor> sorted = index.manifests;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Descriptor& a, const Descriptor& b) {
    return std::tie(a.platform, a.digest) < std::tie(b.platform, b.digest);
  });
  Json json = {{"schemaVersion", 2},
               {"mediaType", MediaType::index().str()},
               {"manifests", to_json_list(sorted)}};
  oci_json::put(json, "annotations", index.annotations);
  return json;
}

ImageIndex parse_image_index(std::string_view text, const std::string& document) {
  const Json json = parse_json(text, document);
  JsonReader reader(json, document, "");
  require_kind(reader, "index", &MediaType::is_index, {"layers", "config", "fsLayers"});
  return ImageIndex{.manifests = oci_json::descriptors(reader, "manifests", document),
                    .annotations = oci_json::text_map(reader, "annotations")};
}

}  // namespace img
