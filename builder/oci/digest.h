// SPDX-License-Identifier: Apache-2.0
// Content digests as the image-spec writes them: `Digest` for stored bytes, `DiffId` for plain
// tars.
#pragma once

#include "builder/base/hash.h"

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace img {

/// "algorithm:encoded". A value that exists is valid: sha256 with 64 lower-case hex digits, sha512
/// with 128, other algorithms by the grammar of descriptor.md (they parse but cannot be verified).
class Digest {
 public:
  /// InputError "'<text>' is no digest" for anything else.
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  static Digest sha256(const Sha256Value& value);
  static Digest of(ByteView bytes) { return sha256(img::sha256(bytes)); }
  static Digest of(std::string_view text) { return of(as_bytes(text)); }

  const std::string& str() const { return text_; }
  std::string_view algorithm() const;
  std::string_view hex() const;  ///< the part after the colon
  bool is_sha256() const { return algorithm() == "sha256"; }
  /// First 12 hex digits, for people.
  std::string short_hex() const { return std::string(hex().substr(0, 12)); }

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  explicit Digest(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Digest of a layer's uncompressed tar; a type of its own so that the two cannot be swapped.
class DiffId {
 public:
  explicit DiffId(Digest digest) : digest_(std::move(digest)) {}
  const Digest& digest() const { return digest_; }
  const std::string& str() const { return digest_.str(); }
  friend auto operator<=>(const DiffId&, const DiffId&) = default;

 private:
  Digest digest_;
};

}  // namespace img
