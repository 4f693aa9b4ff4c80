// SPDX-License-Identifier: Apache-2.0
// Typed fields that manifests and recipes share: paths, modes, versions, environment.
#include "builder/manifest/fields.h"

#include "builder/base/text.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace img {
namespace {

constexpr std::string_view kDigits = "0123456789";

bool consists_of(std::string_view text, std::string_view characters) {
  return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_letter_or_underscore(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && is_letter_or_underscore(text[0]) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_underscore(c) || kDigits.find(c) != std::string_view::npos;
         });
}

/// "1e3", "1.10", "1_000", ".5", "12:30", "0x1f", "0o17"; the sign is gone already.
bool reads_as_number(std::string_view text) {
  if (text.empty()) return false;
  if (text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o")) {
    return consists_of(text.substr(2), "0123456789abcdefABCDEF_");
  }
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    std::string_view power = text.substr(exponent + 1);
    if (power.starts_with('+') || power.starts_with('-')) power.remove_prefix(1);
    if (!consists_of(power, kDigits)) return false;
    text = text.substr(0, exponent);
  }
  if (!consists_of(text, "0123456789_.:")) return false;
  return std::count(text.begin(), text.end(), '.') <= 1 &&
         text.find_first_of(kDigits) != std::string_view::npos;
}

bool reads_as_date(std::string_view text) {
  return text.size() >= 8 && text[4] == '-' && consists_of(text.substr(0, 4), kDigits) &&
         consists_of(text.substr(5, 1), kDigits);
}

}  // namespace

bool reads_as_other_than_text(std::string_view text) {
  static const std::set<std::string, std::less<>> kWords = {
      "true", "false", "yes", "no", "on", "off", "y", "n", "null", "~", ".nan", ".inf"};
  if (kWords.contains(to_lower_ascii(text)) || reads_as_date(text)) return true;
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return to_lower_ascii(text) == ".inf" || reads_as_number(text);
}

bool is_absolute_path(std::string_view text) {
  if (text.size() < 2 || text[0] != '/' || text.size() > 4096) return false;
  for (const std::string& part : split(text.substr(1), '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return text.find('\n') == std::string_view::npos && text.find('\t') == std::string_view::npos;
}

std::string absolute_path(const YamlNode& node, std::string_view what) {
  const std::string& text = node.as_text(what);
  if (!is_absolute_path(text)) {
    node.fail("'" + text + "' is no path for " + std::string(what),
              "write an absolute path such as '/opt/app', without '.', '..' or '/' at the end");
  }
  return text;
}

std::uint32_t mode_field(const YamlNode& node, std::string_view what) {
  const std::string& text = node.as_text(what);
  const bool octal = consists_of(text, "01234567") && text.size() >= 3 && text.size() <= 5;
  std::uint32_t mode = 0;
  if (octal) std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (!octal || mode > 07777) {
    node.fail("'" + text + "' is no mode for " + std::string(what),
              "write octal digits such as \"0755\"");
  }
  return mode;
}

std::uint32_t id_field(const YamlNode& node, std::string_view what) {
  const std::string& text = node.as_text(what);
  const auto number = parse_decimal(text);
  // The last two numbers mean "no user" and "do not change" to the kernel.
  if (!number || *number > 0xffff'fffd) {
    node.fail("'" + text + "' is no user or group number for " + std::string(what));
  }
  return static_cast<std::uint32_t>(*number);
}

std::string version_field(const YamlNode& node, std::string_view what) {
  const std::string& text = node.as_text(what);
  if (!node.is_quoted() && reads_as_other_than_text(text)) {
    node.fail("version " + text + " for " + std::string(what) + " is not quoted",
              "write \"" + text + "\": other YAML tools read " + text + " as a number");
  }
  const std::string_view characters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+";
  const bool good = consists_of(text, characters) &&
                    kDigits.find(text[0]) != std::string_view::npos && text.back() != '.' &&
                    text.find("..") == std::string::npos;
  if (!good) {
    node.fail("'" + text + "' is no version for " + std::string(what),
              "write one version such as \"2.8.0\"");
  }
  return text;
}

std::map<std::string, std::string> environment_field(const YamlNode& node, std::string_view what) {
  std::map<std::string, std::string> environment;
  for (const auto& [key, value] : node.as_mapping(what)) {
    if (!is_variable_name(key.text())) {
      key.fail("'" + key.text() + "' is no name of an environment variable");
    }
    environment[key.text()] = value.as_text("'" + key.text() + "' in " + std::string(what));
  }
  return environment;
}

std::vector<DirectorySpec> directories_field(const YamlNode& node, const std::string& what) {
  std::vector<DirectorySpec> directories;
  for (const YamlNode& item : node.as_sequence(what)) {
    YamlReader reader(item, "an item of " + what);
    DirectorySpec directory;
    const YamlNode& path = reader.required("path");
    directory.path = absolute_path(path, reader.name_of("path"));
    directory.position = path.position();
    if (const auto* mode = reader.optional("mode")) {
      directory.mode = mode_field(*mode, reader.name_of("mode"));
    }
    if (const auto* uid = reader.optional("uid")) {
      directory.uid = id_field(*uid, reader.name_of("uid"));
    }
    if (const auto* gid = reader.optional("gid")) {
      directory.gid = id_field(*gid, reader.name_of("gid"));
    }
    reader.finish();
    directories.push_back(std::move(directory));
  }
  return directories;
}

std::vector<DropGlob> drops_field(const YamlNode& node, const std::string& what,
                                  const Variables& variables) {
  std::vector<DropGlob> drops;
  for (const YamlNode& item : node.as_sequence(what)) {
    YamlReader reader(item, "an item of " + what);
    DropGlob drop;
    drop.glob = variables.fill(reader.required("glob"), reader.name_of("glob"));
    drop.reason = reader.text("reason");
    if (trim(drop.reason).empty()) {
      reader.required("reason").fail("the reason is empty in an item of " + what);
    }
    reader.finish();
    drops.push_back(std::move(drop));
  }
  return drops;
}

PythonSpec python_field(const YamlNode& node, const std::string& what, const Variables& variables) {
  YamlReader reader(node, what);
  PythonSpec python;
  const YamlNode& path = reader.required("path");
  python.path = variables.fill(path, reader.name_of("path"));
  if (!is_absolute_path(python.path)) absolute_path(path, reader.name_of("path"));
  const YamlNode& version = reader.required("version");
  const std::string filled = variables.fill(version, reader.name_of("version"));
  python.version =
      filled == version.text() ? version_field(version, reader.name_of("version")) : filled;
  const std::vector<std::string> parts = split(python.version, '.');
  if (parts.size() != 2 || !parse_decimal(parts[0]) || !parse_decimal(parts[1])) {
    version.fail("'" + python.version + "' is no Python version for " + reader.name_of("version"),
                 "write major and minor, such as \"3.11\"");
  }
  reader.finish();
  return python;
}

LocalPath local_path(const YamlNode& node, std::string_view what, const fs::path& folder) {
  const std::string& text = node.as_text(what);
  if (text.empty()) node.fail("the path is empty for " + std::string(what));
  if (text.starts_with('/') || text.starts_with('~')) {
    node.fail("'" + text + "' is no local path for " + std::string(what),
              "write it relative to the folder of this file, so that it holds on every machine");
  }
  return {text, (folder / text).lexically_normal()};
}

std::string normalised_distribution(std::string_view name) {
  std::string normal;
  for (const char c : to_lower_ascii(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) {
      normal += c;
    } else if (!normal.ends_with('-')) {
      normal += '-';
    }
  }
  return normal;
}

}  // namespace img
