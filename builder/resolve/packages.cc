// SPDX-License-Identifier: Apache-2.0
// The few fields of a Packages index that a lock needs, read without building its 60,000 stanzas.
#include "builder/resolve/packages.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <array>
#include <optional>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::string_view, 8> kFields = {
    "Package", "Version", "Architecture", "Filename", "Size", "SHA256", "Essential", "Provides"};

using Fields = std::array<std::optional<std::string_view>, kFields.size()>;
enum Field { kPackage, kVersion, kArchitecture, kFilename, kSize, kSha256, kEssential, kProvides };

[[noreturn]] void fail(const std::string& suite, std::string_view package,
                       const std::string& problem) {
  throw InputError("Packages of suite '" + suite + "': package '" + printable(package) + "' " +
                   problem);
}

void take_field(Fields& fields, std::string_view line, const std::string& suite) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    if (line.substr(0, colon) != kFields[i]) continue;
    if (fields[i]) {
      fail(suite, fields[kPackage].value_or("?"), "has two fields " + std::string(kFields[i]));
    }
    fields[i] = trim(line.substr(colon + 1));
  }
}

std::string required(const Fields& fields, Field field, const std::string& suite) {
  if (!fields[field] || fields[field]->empty()) {
    fail(suite, fields[kPackage].value_or("?"), "has no " + std::string(kFields[field]));
  }
  return std::string(*fields[field]);
}

bool is_safe_path(const std::string& path) {
  for (const std::string& part : split(path, '/')) {
    if (part.empty() || part.front() == '.') return false;
  }
  return path.ends_with(".deb") && printable(path) == path &&
         path.find_first_of(" \\") == std::string::npos;
}

IndexedDeb read_deb(const Fields& fields, const std::string& archive, const std::string& suite) {
  IndexedDeb deb;
  deb.package = required(fields, kPackage, suite);
  deb.version = required(fields, kVersion, suite);
  deb.architecture = required(fields, kArchitecture, suite);
  deb.path = required(fields, kFilename, suite);
  deb.sha256 = required(fields, kSha256, suite);
  const auto size = parse_decimal(required(fields, kSize, suite));
  const auto hash = from_hex(deb.sha256);
  if (!is_safe_path(deb.path))
    fail(suite, deb.package, "has the path '" + printable(deb.path) + "'");
  if (!hash || hash->size() != 32) fail(suite, deb.package, "has a malformed SHA256");
  if (!size || *size == 0) fail(suite, deb.package, "has a malformed Size");
  deb.size = *size;
  deb.archive = archive;
  deb.suite = suite;
  return deb;
}

/// "mail-transport-agent, x (= 1)" → names.
std::vector<std::string> provided_names(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string& part : split(text, ',')) {
    const std::string_view item = trim(part);
    names.emplace_back(item.substr(0, item.find_first_of(" (")));
  }
  return names;
}

}  // namespace

void PackageIndexes::add(std::string_view text, const std::string& archive,
                         const std::string& suite) {
  Fields fields;
  const auto end_stanza = [&] {
    if (!fields[kPackage]) {
      fields = {};
      return;
    }
    IndexedDeb deb = read_deb(fields, archive, suite);
    versions_[deb.package].insert(deb.version);
    if (fields[kEssential] == "yes") essential_.insert(deb.package);
    if (fields[kProvides]) {
      for (std::string& name : provided_names(*fields[kProvides]))
        provided_.insert(std::move(name));
    }
    by_hash_.emplace(deb.sha256, deb);
    fields = {};
  };
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.empty()) {
      end_stanza();
    } else if (line.front() != ' ' && line.front() != '\t') {
      take_field(fields, line, suite);
    }
  }
  end_stanza();
}

const IndexedDeb* PackageIndexes::find(const std::string& sha256) const {
  const auto at = by_hash_.find(sha256);
  return at == by_hash_.end() ? nullptr : &at->second;
}

bool PackageIndexes::has(const std::string& package, const std::string& version) const {
  const auto at = versions_.find(package);
  return at != versions_.end() && at->second.contains(version);
}

std::vector<std::string> PackageIndexes::versions(const std::string& package) const {
  const auto at = versions_.find(package);
  if (at == versions_.end()) return {};
  return {at->second.begin(), at->second.end()};
}

bool PackageIndexes::is_known(const std::string& package) const {
  return versions_.contains(package) || provided_.contains(package);
}

std::vector<std::string> PackageIndexes::names() const {
  std::vector<std::string> names;
  for (const auto& [name, versions] : versions_) names.push_back(name);
  return names;
}

}  // namespace img
