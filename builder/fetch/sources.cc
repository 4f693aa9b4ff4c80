// SPDX-License-Identifier: Apache-2.0
// Addresses by source name: flags, environment, the user's file, then the machine.
#include "builder/fetch/sources.h"

#include "builder/base/error.h"
#include "builder/base/http.h"
#include "builder/base/text.h"
#include "builder/base/yaml.h"
#include "builder/fetch/machine_sources.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace img {
namespace {

using ByName = std::map<std::string, std::vector<std::string>>;

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

bool is_source_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

/// Why an address is no use; empty when it is one.
std::string problem_of(const std::string& name, std::string_view address) {
  if (!is_source_name(name)) return "'" + printable(name) + "' is no name of a source";
  if (address.empty()) return "source '" + name + "' has an empty address";
  if (name == "folder") return {};
  for (const std::string_view scheme : {"https://", "http://", "file:///"}) {
    if (address.starts_with(scheme)) return {};
  }
  return "'" + displayable_url(address) + "' is no http, https or file address";
}

std::string tidy(const std::string& name, std::string_view address) {
  if (name == "folder") return fs::absolute(std::string(address)).lexically_normal().string();
  while (address.ends_with('/')) address.remove_suffix(1);
  return std::string(address);
}

void add_assignment(ByName& to, const std::string& text, const std::string& where) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const std::string address = equals == std::string::npos ? "" : text.substr(equals + 1);
  const std::string problem = equals == std::string::npos
                                  ? "'" + displayable_url(text) + "' is no NAME=URL"
                                  : problem_of(name, address);
  if (!problem.empty()) {
    throw UsageError(
        ErrorText{.message = where + ": " + problem, .hint = "write e.g. pypi=URL or folder=DIR"});
  }
  to[name].push_back(tidy(name, address));
}

ByName sources_of_flags(const std::vector<std::string>& flags) {
  ByName result;
  for (const std::string& flag : flags) add_assignment(result, flag, "--source");
  return result;
}

ByName sources_of_environment() {
  ByName result;
  for (const std::string& word : split(environment("IMGBUILD_SOURCES").value_or(""), ' ')) {
    if (!trim(word).empty()) {
      add_assignment(result, std::string(trim(word)), "IMGBUILD_SOURCES");
    }
  }
  return result;
}

std::optional<fs::path> config_file() {
  const auto xdg = environment("XDG_CONFIG_HOME");
  const auto home = environment("HOME");
  fs::path folder;
  if (xdg && fs::path(*xdg).is_absolute()) {
    folder = *xdg;
  } else if (home) {
    folder = fs::path(*home) / ".config";
  } else {
    return std::nullopt;
  }
  const fs::path file = folder / "imgbuild/sources.yaml";
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return file;
}

ByName sources_of_file() {
  ByName result;
  const std::optional<fs::path> file = config_file();
  if (!file) return result;
  const YamlNode root = parse_yaml(read_file(*file, 1 << 20), file->string());
  for (const auto& [key, value] : root.as_mapping("the list of sources")) {
    const std::string& name = key.text();
    std::vector<const YamlNode*> addresses = {&value};
    if (value.kind() == YamlNode::Kind::sequence) {
      addresses.clear();
      for (const YamlNode& item : value.items()) addresses.push_back(&item);
    }
    for (const YamlNode* address : addresses) {
      const std::string& text = address->as_text("the address of source '" + name + "'");
      const std::string problem = problem_of(name, text);
      if (!problem.empty()) {
        Position position = address->position();
        position.source_line.clear();  // it may hold a password
        throw ManifestError(ErrorText{.message = problem, .position = position});
      }
      result[name].push_back(tidy(name, text));
    }
  }
  return result;
}

}  // namespace

const std::vector<std::string>& Sources::of(const std::string& name) const {
  const auto found = by_name.find(name);
  if (found != by_name.end() && !found->second.empty()) return found->second;
  if (machine && !offline) {
    const std::vector<std::string>& asked = machine->of(name);
    if (!asked.empty()) return asked;
  }
  throw UnavailableError(
      ErrorText{.message = "no address is known for source '" + printable(name) + "'",
                .hint = "name it: --source " + printable(name) + "=URL"});
}

const std::vector<std::string>& Sources::folders() const {
  static const std::vector<std::string> none;
  const auto found = by_name.find("folder");
  return found == by_name.end() ? none : found->second;
}

Sources load_sources(const SourceFlags& flags) {
  Sources sources;
  sources.offline = flags.offline;
  sources.by_name = sources_of_flags(flags.flags);
  sources.by_name.merge(sources_of_environment());
  sources.by_name.merge(sources_of_file());
  sources.machine = std::make_shared<MachineSources>();
  return sources;
}

}  // namespace img
