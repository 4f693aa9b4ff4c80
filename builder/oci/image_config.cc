// SPDX-License-Identifier: Apache-2.0
// Image config from and to JSON.
#include "builder/base/error.h"
#include "builder/oci/image.h"
#include "builder/oci/json_members.h"

#include <algorithm>
#include <initializer_list>

namespace img {
namespace {

Json to_object_set(const std::vector<std::string>& names) {
  Json object = Json::object();
  for (const std::string& name : names) object[name] = Json::object();
  return object;
}

Json to_json(const History& history) {
  Json json = Json::object();
  oci_json::put(json, "created", history.created);
  oci_json::put(json, "created_by", history.created_by);
  oci_json::put(json, "author", history.author);
  oci_json::put(json, "comment", history.comment);
  if (history.empty_layer) json["empty_layer"] = true;
  return json;
}

/// The "config" object: what a container is started with.
Json execution_json(const ImageConfig& config) {
  Json json = config.other_config;
  oci_json::put(json, "User", config.user);
  oci_json::put(json, "Env", config.env);
  oci_json::put(json, "Entrypoint", config.entrypoint);
  oci_json::put(json, "Cmd", config.cmd);
  oci_json::put(json, "WorkingDir", config.working_dir);
  oci_json::put(json, "Labels", config.labels);
  oci_json::put(json, "StopSignal", config.stop_signal);
  if (!config.volumes.empty()) json["Volumes"] = to_object_set(config.volumes);
  if (!config.exposed_ports.empty()) json["ExposedPorts"] = to_object_set(config.exposed_ports);
  return json;
}

Json rest_of(const Json& object, std::initializer_list<const char*> known) {
  Json rest = object;
  for (const char* key : known) rest.erase(key);
  return rest;
}

void read_execution(const Json& value, const std::string& document, ImageConfig& config) {
  JsonReader reader(value, document, "config");
  config.user = oci_json::text_or_empty(reader, "User");
  config.env = oci_json::texts(reader, "Env");
  config.entrypoint = oci_json::texts(reader, "Entrypoint");
  config.cmd = oci_json::texts(reader, "Cmd");
  config.working_dir = oci_json::text_or_empty(reader, "WorkingDir");
  config.labels = oci_json::text_map(reader, "Labels");
  config.stop_signal = oci_json::text_or_empty(reader, "StopSignal");
  config.volumes = oci_json::key_set(reader, "Volumes");
  config.exposed_ports = oci_json::key_set(reader, "ExposedPorts");
  config.other_config = rest_of(value, {"User", "Env", "Entrypoint", "Cmd", "WorkingDir", "Labels",
                                        "StopSignal", "Volumes", "ExposedPorts"});
}

std::vector<DiffId> read_diff_ids(const Json& rootfs, const std::string& document) {
  JsonReader reader(rootfs, document, "rootfs");
  const std::string type = reader.string("type");
  if (type != "layers") reader.fail("type", "expected 'layers', found '" + type + "'");
  std::vector<DiffId> result;
  for (const std::string& text : reader.string_list("diff_ids")) {
    const std::optional<Digest> digest = Digest::try_parse(text);
    if (!digest) {
      reader.fail("diff_ids", "'" + text + "' is no digest");
    }
    result.emplace_back(*digest);
  }
  return result;
}

std::vector<History> read_history(JsonReader& config, const std::string& document) {
  std::vector<History> result;
  if (oci_json::find(config, "history") == nullptr) return result;
  for (const Json& value : config.array("history")) {
    JsonReader reader(value, document, oci_json::indexed(config.path_of("history"), result.size()));
    result.push_back(History{.created = oci_json::text_or_empty(reader, "created"),
                             .created_by = oci_json::text_or_empty(reader, "created_by"),
                             .comment = oci_json::text_or_empty(reader, "comment"),
                             .empty_layer = oci_json::find(reader, "empty_layer") != nullptr &&
                                            reader.boolean("empty_layer"),
                             .author = oci_json::text_or_empty(reader, "author")});
  }
  return result;
}

void require_history_fits(JsonReader& reader, const ImageConfig& config) {
  if (config.history.empty()) return;
  const auto layers = std::count_if(config.history.begin(), config.history.end(),
                                    [](const History& line) { return !line.empty_layer; });
  if (static_cast<std::size_t>(layers) == config.diff_ids.size()) return;
  reader.fail("history", std::to_string(layers) + " lines with a layer for " +
                             std::to_string(config.diff_ids.size()) + " diff ids");
}

}  // namespace

Json to_json(const ImageConfig& config) {
  Json json = config.other;
  json["architecture"] = config.platform.architecture;
  json["os"] = config.platform.os;
  oci_json::put(json, "variant", config.platform.variant);
  oci_json::put(json, "created", config.created);
  oci_json::put(json, "author", config.author);
  const Json execution = execution_json(config);
  if (!execution.empty()) json["config"] = execution;
  Json diff_ids = Json::array();
  for (const DiffId& id : config.diff_ids) diff_ids.push_back(id.str());
  json["rootfs"] = {{"type", "layers"}, {"diff_ids", diff_ids}};
  Json history = Json::array();
  for (const History& line : config.history) history.push_back(to_json(line));
  if (!history.empty()) json["history"] = history;
  return json;
}

ImageConfig parse_image_config(std::string_view text, const std::string& document) {
  const Json json = parse_json(text, document);
  JsonReader reader(json, document, "");
  ImageConfig config;
  config.platform = {.os = reader.string("os"),
                     .architecture = reader.string("architecture"),
                     .variant = oci_json::text_or_empty(reader, "variant")};
  config.created = oci_json::text_or_empty(reader, "created");
  config.author = oci_json::text_or_empty(reader, "author");
  if (const Json* execution = oci_json::find(reader, "config")) {
    read_execution(*execution, document, config);
  }
  config.diff_ids = read_diff_ids(reader.object("rootfs"), document);
  config.history = read_history(reader, document);
  require_history_fits(reader, config);
  config.other = rest_of(
      json, {"os", "architecture", "variant", "created", "author", "config", "rootfs", "history"});
  return config;
}

}  // namespace img
