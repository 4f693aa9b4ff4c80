// SPDX-License-Identifier: Apache-2.0
// dpkg's version order (deb-version(7)).
#include "builder/inputs/debian.h"

#include <algorithm>

namespace img {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Version {
  std::string_view epoch = "0";
  std::string_view upstream;
  std::string_view revision;
};

Version parse(std::string_view text) {
  Version version;
  if (const std::size_t colon = text.find(':'); colon != text.npos) {
    version.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const std::size_t hyphen = text.rfind('-');
  version.upstream = text.substr(0, hyphen);
  if (hyphen != text.npos) version.revision = text.substr(hyphen + 1);
  return version;
}

/// Rank of a character outside numbers: '~' before the end, the end, letters, the rest.
int rank(std::string_view text) {
  if (text.empty() || is_digit(text.front())) return 0;
  const char c = text.front();
  if (c == '~') return -1;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return static_cast<unsigned char>(c) + (letter ? 0 : 256);
}

std::string_view take_number(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  std::string_view number = text.substr(0, size);
  text.remove_prefix(size);
  while (!number.empty() && number.front() == '0') number.remove_prefix(1);
  return number;
}

/// Numbers of any length.
int compare_numbers(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

int compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      if (const int difference = rank(a) - rank(b)) return difference;
      // Equal ranks: both have a character here.
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
    if (const int difference = compare_numbers(take_number(a), take_number(b))) return difference;
  }
  return 0;
}

}  // namespace

int compare_debian_versions(std::string_view a, std::string_view b) {
  const Version left = parse(a), right = parse(b);
  for (const auto part : {&Version::epoch, &Version::upstream, &Version::revision}) {
    if (const int difference = compare_part(left.*part, right.*part))
      return difference < 0 ? -1 : 1;
  }
  return 0;
}

}  // namespace img
