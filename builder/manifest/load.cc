// SPDX-License-Identifier: Apache-2.0
// Reads a manifest file: its own keys, its list of layers, and the recipes behind them.
#include "builder/base/text.h"
#include "builder/base/yaml.h"
#include "builder/manifest/build_manifest.h"
#include "builder/manifest/compatibility.h"
#include "builder/manifest/fields.h"
#include "builder/manifest/recipe.h"
#include "builder/manifest/rules.h"

#include <algorithm>
#include <charconv>

namespace img {
namespace {

constexpr const char* kManifestSchema = "imgbuild/v1";

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

/// What registries take as a repository: parts of lower-case letters and digits, single separators
/// between.
bool is_image_name(std::string_view text) {
  for (const std::string& part : split(text, '/')) {
    bool separated = true;
    for (const char c : part) {
      const bool separator = c == '.' || c == '_' || c == '-';
      if (!separator && !is_lower_or_digit(c)) return false;
      if (separator && separated) return false;
      separated = separator;
    }
    if (separated) return false;
  }
  return text.size() <= 255;
}

bool is_tag(std::string_view text) {
  if (text.empty() || text.size() > 128 || text[0] == '.' || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  });
}

void read_image(const YamlNode& node, BuildManifest& manifest) {
  YamlReader reader(node, "'image'");
  const YamlNode& name = reader.required("name");
  manifest.name = name.as_text(reader.name_of("name"));
  if (!is_image_name(manifest.name)) {
    name.fail("'" + manifest.name + "' is no name of an image",
              "use lower-case letters and digits, with single '-', '_', '.' or '/' between");
  }
  const YamlNode& tag = reader.required("tag");
  manifest.tag = tag.as_text(reader.name_of("tag"));
  if (!tag.is_quoted() && reads_as_other_than_text(manifest.tag)) {
    tag.fail("tag " + manifest.tag + " is not quoted", "write \"" + manifest.tag +
                                                           "\": other YAML tools do not read " +
                                                           manifest.tag + " as text");
  }
  if (!is_tag(manifest.tag)) {
    tag.fail("'" + manifest.tag + "' is no tag",
             "use at most 128 letters, digits, '.', '_' and '-'");
  }
  const YamlNode* platform = reader.optional("platform");
  const std::string text = platform ? platform->as_text(reader.name_of("platform")) : "linux/amd64";
  if (text != "linux/amd64") {
    platform->fail("platform '" + text + "' is not supported", "write 'linux/amd64'");
  }
  manifest.platform = {"linux", "amd64", ""};
  reader.finish();
}

/// Promises are named like distributions: "torch", "cuda", "typing-extensions".
bool is_promise_name(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text[0]) && text.back() != '-' &&
         text.find("--") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

void read_versions(const YamlNode& node, BuildManifest& manifest) {
  for (const auto& [key, value] : node.as_mapping("'versions'")) {
    const std::string& name = key.text();
    if (!is_promise_name(name)) {
      key.fail("'" + name + "' is no name for 'versions'",
               "use the normalised name of a distribution, or python, cuda, cudnn, nccl");
    }
    manifest.versions[name] = version_field(value, "'" + name + "' in 'versions'");
    manifest.version_positions[name] = value.position();
  }
  const auto needs_two = [&](const char* name) {
    const auto version = manifest.versions.find(name);
    if (version == manifest.versions.end()) return;
    const std::vector<std::string> parts = split(version->second, '.');
    if (parts.size() == 2 && parse_decimal(parts[0]) && parse_decimal(parts[1])) return;
    node.find(name)->fail(
        "version '" + version->second + "' of '" + name + "' is not major and minor",
        "write for example \"" + std::string(name == std::string("cuda") ? "12.8" : "3.11") + "\"");
  };
  needs_two("python");
  needs_two("cuda");
}

std::vector<std::string> command_field(YamlReader& reader, const char* key) {
  const YamlNode* node = reader.optional(key);
  if (node == nullptr) return {};
  std::vector<std::string> words = node->as_text_list(reader.name_of(key));
  if (words.empty() || words[0].empty()) node->fail(reader.name_of(key) + " names no program");
  return words;
}

/// "name", "uid", each with an optional ":group".
bool is_user(std::string_view text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() > 2) return false;
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
    });
  });
}

bool is_port(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto number = parse_decimal(text.substr(0, slash));
  if (!number || *number == 0 || *number > 65535) return false;
  return slash == std::string_view::npos || text.substr(slash) == "/tcp" ||
         text.substr(slash) == "/udp";
}

bool is_signal(std::string_view text) {
  if (const auto number = parse_decimal(text)) return *number >= 1 && *number <= 64;
  return text.starts_with("SIG") && text.size() > 3 &&
         std::all_of(text.begin() + 3, text.end(), [](char c) {
           return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-';
         });
}

void read_volumes(YamlReader& reader, ConfigSpec& config) {
  const YamlNode* volumes = reader.optional("volumes");
  if (volumes == nullptr) return;
  for (const YamlNode& item : volumes->as_sequence(reader.name_of("volumes"))) {
    config.volumes.push_back(absolute_path(item, "an item of " + reader.name_of("volumes")));
  }
}

void read_ports(YamlReader& reader, ConfigSpec& config) {
  const YamlNode* ports = reader.optional("exposed_ports");
  if (ports == nullptr) return;
  for (const YamlNode& item : ports->as_sequence(reader.name_of("exposed_ports"))) {
    const std::string& text = item.as_text("an item of " + reader.name_of("exposed_ports"));
    if (!is_port(text)) item.fail("'" + text + "' is no port", "write '8080/tcp'");
    config.exposed_ports.push_back(text);
  }
}

ConfigSpec read_config(const YamlNode& node) {
  YamlReader reader(node, "'config'");
  ConfigSpec config;
  if (const YamlNode* user = reader.optional("user")) {
    config.user = user->as_text(reader.name_of("user"));
    config.user_position = user->position();
    if (!is_user(config.user)) {
      user->fail("'" + config.user + "' is no user", "write a name or a number, as 'user:group'");
    }
  }
  if (const YamlNode* workdir = reader.optional("workdir")) {
    config.workdir = workdir->as_text(reader.name_of("workdir"));
    if (config.workdir != "/") absolute_path(*workdir, reader.name_of("workdir"));
  }
  config.entrypoint = command_field(reader, "entrypoint");
  config.cmd = command_field(reader, "cmd");
  read_volumes(reader, config);
  read_ports(reader, config);
  if (const YamlNode* env = reader.optional("env")) {
    config.env = environment_field(*env, reader.name_of("env"));
  }
  if (const YamlNode* labels = reader.optional("labels")) {
    for (const auto& [key, value] : labels->as_mapping(reader.name_of("labels"))) {
      if (key.text().empty()) key.fail("a label has no name");
      config.labels[key.text()] = value.as_text("label '" + key.text() + "'");
    }
  }
  if (const YamlNode* signal = reader.optional("stop_signal")) {
    config.stop_signal = signal->as_text(reader.name_of("stop_signal"));
    if (!is_signal(config.stop_signal)) {
      signal->fail("'" + config.stop_signal + "' is no signal", "write for example 'SIGINT'");
    }
  }
  reader.finish();
  return config;
}

SupportsSpec read_supports(const YamlNode& node) {
  YamlReader reader(node, "'supports'");
  SupportsSpec supports;
  if (const YamlNode* gpus = reader.optional("gpus")) {
    const Compatibility& table = builtin_compatibility();
    for (const YamlNode& item : gpus->as_sequence(reader.name_of("gpus"))) {
      const std::string& name = item.as_text("an item of " + reader.name_of("gpus"));
      if (table.find_gpu(name) == nullptr) {
        const std::vector<std::string> names = table.gpu_names();
        const auto near = did_you_mean(name, names);
        item.fail("unknown GPU '" + name + "'",
                  near ? "did you mean '" + *near + "'?" : "known GPUs: " + join(names, ", "));
      }
      supports.gpus.push_back(name);
    }
  }
  if (const YamlNode* driver = reader.optional("driver")) {
    supports.driver = version_field(*driver, reader.name_of("driver"));
    if (supports.driver.find_first_not_of("0123456789.") != std::string::npos) {
      driver->fail("'" + supports.driver + "' is no version of a driver",
                   "write for example \"525.60.13\"");
    }
  }
  reader.finish();
  return supports;
}

std::uint64_t size_field(const YamlNode& node, const std::string& what) {
  const std::string& text = node.as_text(what);
  const auto bytes = parse_size(text);
  if (!bytes || *bytes == 0) {
    node.fail("'" + text + "' is no size for " + what, "write for example '4.5GB'");
  }
  return *bytes;
}

/// "8s", "1.5s", "900ms".
double seconds_field(const YamlNode& node, const std::string& what) {
  const std::string& text = node.as_text(what);
  const std::size_t unit = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + unit, number);
  const std::string_view name = std::string_view(text).substr(unit);
  const bool good = error == std::errc() && end == text.data() + unit && number > 0 &&
                    number < 1e6 && (name == "s" || name == "ms");
  if (!good) node.fail("'" + text + "' is no duration for " + what, "write for example '8s'");
  return name == "ms" ? number / 1000 : number;
}

ChecksSpec read_checks(const YamlNode& node) {
  YamlReader reader(node, "'checks'");
  ChecksSpec checks;
  if (const YamlNode* size = reader.optional("size")) {
    YamlReader sizes(*size, "'checks.size'");
    if (const YamlNode* packed = sizes.optional("compressed")) {
      checks.size_compressed = size_field(*packed, sizes.name_of("compressed"));
    }
    if (const YamlNode* unpacked = sizes.optional("unpacked")) {
      checks.size_unpacked = size_field(*unpacked, sizes.name_of("unpacked"));
    }
    sizes.finish();
  }
  if (const YamlNode* start = reader.optional("cold_start")) {
    YamlReader starts(*start, "'checks.cold_start'");
    if (const YamlNode* torch = starts.optional("import_torch")) {
      checks.import_torch_seconds = seconds_field(*torch, starts.name_of("import_torch"));
    }
    starts.finish();
  }
  reader.finish();
  return checks;
}

void read_output(YamlReader& reader, BuildManifest& manifest) {
  if (const YamlNode* compression = reader.optional("compression")) {
    const std::string& text = compression->as_text(reader.name_of("compression"));
    manifest.compression = parse_compression(text);
    if (!manifest.compression) {
      compression->fail("unknown compression '" + text + "'", "write 'zstd' or 'gzip'");
    }
  }
  manifest.selftest = reader.boolean_or("selftest", false);
}

void check_schema(YamlReader& reader) {
  const YamlNode& schema = reader.required("schema");
  if (schema.as_text(reader.name_of("schema")) != kManifestSchema) {
    schema.fail("unknown schema '" + schema.text() + "' in the manifest",
                "write '" + std::string(kManifestSchema) + "'");
  }
}

void read_layers(const YamlNode& node, const LoadOptions& options, BuildManifest& manifest) {
  const Variables variables(manifest.versions);
  const RecipeSearch search = recipe_search(manifest.file, options.recipe_folders);
  for (const YamlNode& item : node.as_sequence("'layers'")) {
    manifest.recipes.push_back(load_recipe(item, manifest.file, search, variables));
  }
  if (manifest.recipes.empty()) node.fail("'layers' is empty", "list a base first");
}

/// The nearest misspelt neighbour when the file is not there at all.
[[noreturn]] void fail_not_found(const fs::path& file) {
  std::vector<std::string> names;
  std::error_code ignored;
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  const auto near = did_you_mean(file.filename().string(), names);
  ErrorText text{"there is no manifest '" + file.string() + "'"};
  if (near) text.hint = "did you mean '" + (file.parent_path() / *near).string() + "'?";
  throw ManifestError(std::move(text));
}

}  // namespace

BuildManifest load_manifest(const fs::path& file, const LoadOptions& options) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) fail_not_found(file);
  if (fs::is_directory(file, ignored)) {
    throw ManifestError("'" + file.string() + "' is a folder, not a manifest");
  }
  const YamlNode root = parse_yaml(read_file(file, 2 << 20), file.string());
  BuildManifest manifest;
  manifest.file = file.string();
  YamlReader reader(root, "the manifest");
  check_schema(reader);
  read_image(reader.required("image"), manifest);
  if (const YamlNode* versions = reader.optional("versions")) read_versions(*versions, manifest);
  const YamlNode& layers = reader.required("layers");
  if (const YamlNode* config = reader.optional("config")) manifest.config = read_config(*config);
  if (const YamlNode* supports = reader.optional("supports")) {
    manifest.supports = read_supports(*supports);
  }
  if (const YamlNode* checks = reader.optional("checks")) manifest.checks = read_checks(*checks);
  read_output(reader, manifest);
  reader.finish();
  read_layers(layers, options, manifest);
  inherit_suites(manifest);
  check_rules(manifest);
  return manifest;
}

}  // namespace img
