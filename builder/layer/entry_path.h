// SPDX-License-Identifier: Apache-2.0
// The path of an entry inside a layer: relative, canonical, safe.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace img {

/// "usr/lib/libc.so.6". No leading or trailing '/', no empty, "." or ".." segment, no NUL, valid
/// UTF-8, at most 4096 bytes, each segment at most 255. Order is bytewise.
class EntryPath {
 public:
  /// InputError "'<text>' is no entry path: <rule>" otherwise. `text` must be canonical already.
  static EntryPath parse(std::string_view text);
  /// Accepts what tars in the field write: leading "./" or "/" and trailing "/" are taken off first
  /// ("/../x" stays an error); nullopt for the root itself (".", "./", "/").
  static std::optional<EntryPath> parse_tar_name(std::string_view name);

  const std::string& str() const { return text_; }
  std::string_view name() const;                         ///< last segment
  std::optional<EntryPath> parent() const;               ///< nullopt at the top
  EntryPath operator/(std::string_view relative) const;  ///< parse(str + "/" + relative)
  bool is_under(const EntryPath& folder) const;          ///< strictly below

  friend auto operator<=>(const EntryPath&, const EntryPath&) = default;

 private:
  explicit EntryPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace img
