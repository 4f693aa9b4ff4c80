// SPDX-License-Identifier: Apache-2.0
// A manifest as JSON, for people and for the checksum.
#include "builder/manifest/json.h"

#include "builder/manifest/requirement.h"

#include <cstdio>

namespace img {
namespace {

std::string octal(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, "%04o", mode);
  return text;
}

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const DropGlob& drop);
Json json_of(const PreferRule& rule);
Json json_of(const DirectorySpec& directory);
Json json_of(const FileSpec& file);
Json json_of(const LinkSpec& link);
Json json_of(const UserSpec& user);
Json json_of(const Recipe& recipe);

template <typename Items>
Json list_of(const Items& items) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

Json json_of(const DropGlob& drop) { return {{"glob", drop.glob}, {"reason", drop.reason}}; }

Json json_of(const PreferRule& rule) {
  return {{"glob", rule.glob}, {"winner", rule.winner}, {"reason", rule.reason}};
}

Json json_of(const DirectorySpec& directory) {
  return {{"path", directory.path},
          {"mode", octal(directory.mode)},
          {"uid", directory.uid},
          {"gid", directory.gid}};
}

Json json_of(const FileSpec& file) {
  return {{"path", file.path},
          {"source", or_null(file.source_written)},
          {"content", file.source_written.empty() ? Json(file.content) : Json(nullptr)},
          {"mode", file.mode ? Json(octal(*file.mode)) : Json(nullptr)},
          {"uid", file.uid},
          {"gid", file.gid}};
}

Json json_of(const LinkSpec& link) { return {{"path", link.path}, {"target", link.target}}; }

Json json_of(const UserSpec& user) {
  return {{"name", user.name}, {"uid", user.uid},     {"gid", user.gid},
          {"home", user.home}, {"shell", user.shell}, {"comment", user.comment}};
}

Json json_of(const std::optional<PythonSpec>& python) {
  if (!python) return nullptr;
  return {{"path", python->path}, {"version", python->version}};
}

Json json_of(const DebianSpec& spec) {
  return {{"kind", "debian"},
          {"suite", spec.suite},
          {"pockets", spec.pockets},
          {"components", spec.components},
          {"packages", spec.packages},
          {"essential", spec.essential},
          {"keyringFingerprints", spec.keyring_fingerprints},
          {"drop", list_of(spec.drop)},
          {"keep", spec.keep},
          {"python", json_of(spec.python)}};
}

Json json_of(const WheelsSpec& spec) {
  Json lines = Json::array();
  for (const RequirementLine& line : requirement_lines(spec.requirements_text)) {
    lines.push_back(line.text);
  }
  return {{"kind", "wheels"},
          {"venv", or_null(spec.venv)},
          {"requires", spec.requires_},
          {"requirementsFile", or_null(spec.requirements_written)},
          {"requirements", std::move(lines)},
          {"owns", spec.owns},
          {"index", spec.index},
          {"drop", list_of(spec.drop)},
          {"prefer", list_of(spec.prefer)}};
}

Json json_of(const FilesSpec& spec) {
  return {{"kind", "files"},
          {"files", list_of(spec.files)},
          {"links", list_of(spec.links)},
          {"users", list_of(spec.users)}};
}

Json json_of(const OciSpec& spec) {
  return {{"kind", "oci"},
          {"layout", spec.layout_written},
          {"digest", spec.digest},
          {"python", json_of(spec.python)}};
}

Json json_of(const Recipe& recipe) {
  Json json = std::visit([](const auto& spec) { return json_of(spec); }, recipe.spec);
  const auto* files = std::get_if<FilesSpec>(&recipe.spec);
  json["name"] = recipe.name;
  json["file"] = recipe.file;
  json["summary"] = recipe.summary;
  json["env"] = recipe.env;
  json["directories"] = list_of(files ? files->directories : recipe.directories);
  return json;
}

Json json_of(const ConfigSpec& config) {
  return {{"user", or_null(config.user)},
          {"workdir", or_null(config.workdir)},
          {"entrypoint", config.entrypoint},
          {"cmd", config.cmd},
          {"volumes", config.volumes},
          {"exposedPorts", config.exposed_ports},
          {"env", config.env},
          {"labels", config.labels},
          {"stopSignal", or_null(config.stop_signal)}};
}

Json json_of(const ChecksSpec& checks) {
  return {{"sizeCompressedBytes", or_null(checks.size_compressed)},
          {"sizeUnpackedBytes", or_null(checks.size_unpacked)},
          {"importTorchSeconds", or_null(checks.import_torch_seconds)}};
}

}  // namespace

Json to_json(const BuildManifest& manifest) {
  return {{"schemaVersion", 1},
          {"file", manifest.file},
          {"name", manifest.name},
          {"tag", manifest.tag},
          {"platform", to_string(manifest.platform)},
          {"versions", manifest.versions},
          {"layers", list_of(manifest.recipes)},
          {"config", json_of(manifest.config)},
          {"supports",
           {{"gpus", manifest.supports.gpus}, {"driver", or_null(manifest.supports.driver)}}},
          {"checks", json_of(manifest.checks)},
          {"compression", manifest.compression ? Json(std::string(to_string(*manifest.compression)))
                                               : Json(nullptr)},
          {"selftest", manifest.selftest}};
}

}  // namespace img
