// SPDX-License-Identifier: Apache-2.0
// pylock.toml (PEP 751), as far as a closure of wheels needs it.
#include "builder/resolve/pylock.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

namespace img {
namespace {

[[noreturn]] void fail(const std::string& problem) { throw InputError("pylock.toml: " + problem); }

std::string required_text(const toml::table& table, const char* key, const std::string& where) {
  const auto value = table[key].value<std::string>();
  if (!value || value->empty()) fail(where + " has no '" + key + "'");
  return *value;
}

std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const auto byte = from_hex(to_lower_ascii(text.substr(i + 1, 2)));
      if (byte) {
        result += static_cast<char>(byte->front());
        i += 2;
        continue;
      }
    }
    result += text[i];
  }
  return result;
}

/// "name", else the last part of "url" (decoded: '+' is written %2B) or of "path".
std::string file_name(const toml::table& wheel, const std::string& where) {
  if (const auto name = wheel["name"].value<std::string>()) return *name;
  if (const auto url = wheel["url"].value<std::string>()) {
    const std::string plain = url->substr(0, url->find_first_of("?#"));
    return percent_decoded(plain.substr(plain.rfind('/') + 1));
  }
  const std::string path = required_text(wheel, "path", "a wheel of " + where);
  return path.substr(path.rfind('/') + 1);
}

std::string upload_time(const toml::table& wheel) {
  const auto* value = wheel["upload-time"].as_date_time();
  if (value == nullptr) return {};
  std::ostringstream text;
  text << value->get();
  const auto seconds = parse_rfc3339(text.str());
  return seconds ? format_rfc3339(*seconds) : std::string();
}

PylockWheel read_wheel(const toml::table& table, const std::string& where) {
  PylockWheel wheel;
  wheel.file = file_name(table, where);
  const std::int64_t size = table["size"].value_or(std::int64_t{0});
  if (size < 0) fail("a wheel of " + where + " has a negative size");
  wheel.size = static_cast<std::uint64_t>(size);
  wheel.sha256 = table["hashes"]["sha256"].value_or(std::string());
  wheel.uploaded = upload_time(table);
  return wheel;
}

PylockPackage read_package(const toml::table& table) {
  PylockPackage package;
  package.name = normalize_distribution(required_text(table, "name", "a package"));
  for (const char* key : {"vcs", "directory", "archive"}) {
    if (table.contains(key)) fail("'" + package.name + "' comes as '" + key + "', not as a wheel");
  }
  package.version = required_text(table, "version", "'" + package.name + "'");
  const toml::array* wheels = table["wheels"].as_array();
  if (wheels == nullptr) fail("'" + package.name + "' has no wheels");
  for (const toml::node& node : *wheels) {
    const toml::table* wheel = node.as_table();
    if (wheel == nullptr) fail("'" + package.name + "' has a wheel that is no table");
    package.wheels.push_back(read_wheel(*wheel, "'" + package.name + "'"));
  }
  return package;
}

toml::table parse_toml(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail("line " + std::to_string(error.source().begin.line) + ": " +
         std::string(error.description()));
  }
}

}  // namespace

std::vector<PylockPackage> parse_pylock(std::string_view text) {
  const toml::table root = parse_toml(text);
  const std::string version = required_text(root, "lock-version", "the file");
  if (version != "1" && !version.starts_with("1.")) {
    fail("lock-version '" + printable(version) + "' is not 1.x");
  }
  std::vector<PylockPackage> packages;
  const toml::array* list = root["packages"].as_array();
  if (list == nullptr) return packages;
  for (const toml::node& node : *list) {
    const toml::table* table = node.as_table();
    if (table == nullptr) fail("a package is no table");
    packages.push_back(read_package(*table));
  }
  std::sort(packages.begin(), packages.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < packages.size(); ++i) {
    if (packages[i].name == packages[i - 1].name) {
      fail("'" + packages[i].name + "' is there twice: " + packages[i - 1].version + " and " +
           packages[i].version);
    }
  }
  return packages;
}

const PylockWheel& choose_wheel(const PylockPackage& package, const TagRanking& ranking) {
  // Lower rank first; for one rank the higher build number, then the name, so that the order of the
  // index decides nothing.
  struct Candidate {
    int rank;
    std::uint64_t build;
    const PylockWheel* wheel;
  };
  std::optional<Candidate> best;
  for (const PylockWheel& wheel : package.wheels) {
    const WheelFileName name = parse_wheel_file_name(wheel.file);
    const std::optional<int> rank = ranking.rank(name);
    if (!rank) continue;
    const std::string digits = name.build.substr(0, name.build.find_first_not_of("0123456789"));
    const Candidate candidate{*rank, parse_decimal(digits).value_or(0), &wheel};
    const auto key = [](const Candidate& c) { return std::tuple(c.rank, ~c.build, c.wheel->file); };
    if (!best || key(candidate) < key(*best)) best = candidate;
  }
  if (best) return *best->wheel;
  ErrorText error{.message = "no wheel of '" + package.name + "' " + package.version +
                             " fits the image's Python and glibc"};
  for (const PylockWheel& wheel : package.wheels) error.details.push_back({"there is", wheel.file});
  error.hint = "choose another version of it, or another base";
  throw ManifestError(std::move(error));
}

}  // namespace img
