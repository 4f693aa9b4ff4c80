// SPDX-License-Identifier: Apache-2.0
// Debian packages: the strict ar reader, control stanzas, and their file trees.
#pragma once

#include "builder/base/file.h"
#include "builder/inputs/archive.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One RFC 822 style stanza of deb822; field names compare without case, order is kept.
/// Continuation lines of a value stay as they are, each after a newline and with its leading space:
/// find("Description") is "short text\n long text\n .".
class DebianStanza {
 public:
  std::optional<std::string> find(std::string_view field) const;
  /// Replaces the value where the field is, else appends it.
  void set(std::string field, std::string value);
  /// "Field: value\n" for each field.
  std::string format() const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};
/// Stanzas of a control file, a Packages index or dpkg's status. InputError for malformed lines and
/// duplicate fields.
std::vector<DebianStanza> parse_deb822(std::string_view text, const std::string& name);

/// dpkg's version order: <0, 0, >0.
int compare_debian_versions(std::string_view a, std::string_view b);

/// A member of a .deb that is a tar: where it lies and how its name says it is packed.
struct DebMember {
  std::string name;  ///< "data.tar.xz"
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

/// An opened .deb: "debian-binary" 2.x first, then exactly one control.tar[.gz|.xz|.zst] and
/// exactly one data.tar[.gz|.xz|.zst|.bz2|.lzma] in this order, optional '_' members (signatures)
/// anywhere after the first, even padding, nothing after. Otherwise InputError.
class DebFile {
 public:
  static DebFile open(std::shared_ptr<const InputFile> file, std::string name);
  /// The one stanza of control.tar's ./control; InputError without Package, Version or
  /// Architecture.
  DebianStanza control() const;
  /// Walks data.tar behind the door of read_archive; the packing must be what the member's name
  /// says.
  void read_data(const std::function<void(const EntryPath&, Entry, Source& body)>& visit) const;

 private:
  std::shared_ptr<const InputFile> file_;
  std::string name_;
  DebMember control_;
  DebMember data_;
};

}  // namespace img
