// SPDX-License-Identifier: Apache-2.0
// Digests: the grammar of descriptor.md, and what the registered algorithms ask for.
#include "builder/oci/digest.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>

namespace img {
namespace {

// The grammar sets no limit, but a digest becomes a file name.
constexpr std::size_t kLongestDigest = 200;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_lower_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }
bool is_encoded(char c) {
  return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '=' || c == '_' || c == '-';
}

/// algorithm ::= component ([+._-] component)*, component ::= [a-z0-9]+
bool is_algorithm(std::string_view text) {
  bool after_component = false;
  for (char c : text) {
    if (is_lower_alnum(c)) {
      after_component = true;
    } else if (after_component && (c == '+' || c == '.' || c == '_' || c == '-')) {
      after_component = false;
    } else {
      return false;
    }
  }
  return after_component;
}

bool is_hex_of(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::all_of(text.begin(), text.end(), is_lower_hex);
}

bool is_digest(std::string_view text) {
  if (text.size() > kLongestDigest) return false;
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view algorithm = text.substr(0, colon);
  const std::string_view encoded = text.substr(colon + 1);
  if (algorithm == "sha256") return is_hex_of(encoded, 64);
  if (algorithm == "sha384") return is_hex_of(encoded, 96);
  if (algorithm == "sha512") return is_hex_of(encoded, 128);
  return is_algorithm(algorithm) && !encoded.empty() &&
         std::all_of(encoded.begin(), encoded.end(), is_encoded);
}

}  // namespace

std::optional<Digest> Digest::try_parse(std::string_view text) {
  if (!is_digest(text)) return std::nullopt;
  return Digest(std::string(text));
}

Digest Digest::parse(std::string_view text) {
  std::optional<Digest> digest = try_parse(text);
  if (!digest) {
    throw InputError(ErrorText{"'" + std::string(text.substr(0, kLongestDigest)) + "' is no digest",
                               {{"expected", "sha256:<64 lower-case hex digits>"}}});
  }
  return *digest;
}

Digest Digest::sha256(const Sha256Value& value) { return Digest("sha256:" + to_hex(value)); }

std::string_view Digest::algorithm() const {
  return std::string_view(text_).substr(0, text_.find(':'));
}

std::string_view Digest::hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }

}  // namespace img
