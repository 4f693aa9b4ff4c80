// SPDX-License-Identifier: Apache-2.0
// The few fields of a Packages index that a lock needs, read without building its 60,000 stanzas.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct IndexedDeb {
  std::string package, version, architecture, path, sha256;
  std::uint64_t size = 0;
  std::string archive, suite;
};

class PackageIndexes {
 public:
  /// Adds one Packages file (its bytes are vouched for by a signed Release). InputError for stanzas
  /// without version, path, size or sha256, unsafe paths and duplicate fields.
  void add(std::string_view text, const std::string& archive, const std::string& suite);

  /// The deb with these bytes; of several suites that list it the one added first. nullptr: nobody
  /// lists it.
  const IndexedDeb* find(const std::string& sha256) const;
  bool has(const std::string& package, const std::string& version) const;
  std::vector<std::string> versions(const std::string& package) const;
  /// A real or a provided name.
  bool is_known(const std::string& package) const;
  std::vector<std::string> names() const;
  const std::set<std::string>& essential() const { return essential_; }

 private:
  std::map<std::string, IndexedDeb> by_hash_;
  std::map<std::string, std::set<std::string>> versions_;
  std::set<std::string> provided_;
  std::set<std::string> essential_;
};

}  // namespace img
