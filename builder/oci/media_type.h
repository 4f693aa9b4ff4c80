// SPDX-License-Identifier: Apache-2.0
// Media types of the image-spec and the compression they imply.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace img {

enum class Compression { none, gzip, zstd };
std::string_view to_string(Compression compression);
/// "gzip", "zstd"; nullopt for anything else (plain tar is never written).
std::optional<Compression> parse_compression(std::string_view text);

/// Any media type; unknown ones are kept as they are.
class MediaType {
 public:
  explicit MediaType(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }

  bool is_index() const;
  bool is_manifest() const;
  bool is_config() const;
  bool is_layer() const;
  /// Of a layer type (OCI or Docker v2s2); nullopt when this is no layer type that we can read.
  std::optional<Compression> compression() const;

  static MediaType index();
  static MediaType manifest();
  static MediaType config();
  static MediaType layer(Compression compression);

  friend auto operator<=>(const MediaType&, const MediaType&) = default;

 private:
  std::string text_;
};

}  // namespace img
