// SPDX-License-Identifier: Apache-2.0
// Matches shell-style patterns against paths without ever taking exponential time.
#include "builder/base/text.h"

namespace img {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

/// One match. A pattern is a row of items; a `*` or `**` that fits too little is retried with one
/// more character. Only the last `*` and the last `**` are ever retried: everything that an earlier
/// one could take more of, the last one can take as well (`*` stays within one segment, whose end
/// does not depend on it), so the leftmost fit of what lies between is always as good as any other.
class Matcher {
 public:
  Matcher(std::string_view pattern, std::string_view path) : pattern_(pattern), path_(path) {}

  bool run() {
    while (true) {
      if (p_ == pattern_.size() && s_ == path_.size()) return true;
      if (p_ < pattern_.size() && step()) continue;
      if (!retry()) return false;
    }
  }

 private:
  /// Takes one item of the pattern; false when it does not fit here.
  bool step() {
    if (pattern_[p_] == '*') return take_star();
    if (s_ == path_.size()) return false;
    switch (pattern_[p_]) {
      case '?':
        return take_any();
      case '[':
        return take_set();
      case '\\':
        return take_escaped();
      default:
        return take_literal(pattern_[p_], 1);
    }
  }

  bool take_star() {
    const bool doubled = pattern_.substr(p_).starts_with("**");
    if (!doubled) {
      star_ = {p_ + 1, s_, false};
      p_ += 1;
      return true;
    }
    const bool at_segment = p_ == 0 || pattern_[p_ - 1] == '/';
    const bool whole_segments = at_segment && pattern_.substr(p_ + 2).starts_with("/");
    p_ += whole_segments ? 3 : 2;
    globstar_ = {p_, s_, whole_segments};
    star_ = {};
    return true;
  }

  bool take_literal(char c, std::size_t length) {
    if (path_[s_] != c) return false;
    p_ += length;
    s_ += 1;
    return true;
  }

  /// A backslash at the very end stands for itself.
  bool take_escaped() {
    if (p_ + 1 == pattern_.size()) return take_literal('\\', 1);
    return take_literal(pattern_[p_ + 1], 2);
  }

  /// One character, not one byte of it.
  bool take_any() {
    if (path_[s_] == '/') return false;
    pass_character();
    ++p_;
    return true;
  }

  void pass_character() {
    do {
      ++s_;
    } while (s_ < path_.size() && (path_[s_] & 0xC0) == 0x80);
  }

  bool take_set() {
    std::size_t at = p_ + 1;
    const bool negated = at < pattern_.size() && (pattern_[at] == '!' || pattern_[at] == '^');
    if (negated) ++at;
    const std::size_t end = pattern_.find(']', at + 1);  // a ']' in front belongs to the set
    if (at >= pattern_.size() || end == std::string_view::npos) return take_literal('[', 1);
    const auto c = static_cast<unsigned char>(path_[s_]);
    if (c == '/' || set_contains(pattern_.substr(at, end - at), c) == negated) return false;
    p_ = end + 1;
    pass_character();
    return true;
  }

  static bool set_contains(std::string_view set, unsigned char c) {
    for (std::size_t i = 0; i < set.size(); ++i) {
      const auto first = static_cast<unsigned char>(set[i]);
      const bool range = i + 2 < set.size() && set[i + 1] == '-';
      const auto last = range ? static_cast<unsigned char>(set[i + 2]) : first;
      if (range) i += 2;
      if (c >= first && c <= last) return true;
    }
    return false;
  }

  bool retry() {
    if (star_.pattern != kNone && star_.path < path_.size() && path_[star_.path] != '/') {
      return resume(star_, star_.path + 1);
    }
    if (globstar_.pattern == kNone || globstar_.path >= path_.size()) return false;
    star_ = {};
    if (!globstar_.whole_segments) return resume(globstar_, globstar_.path + 1);
    const std::size_t slash = path_.find('/', globstar_.path);
    return slash != std::string_view::npos && resume(globstar_, slash + 1);
  }

  /// Where the pattern goes on after a star, and how much of the path the star has taken.
  struct Point {
    std::size_t pattern = kNone;
    std::size_t path = 0;
    bool whole_segments = false;
  };

  bool resume(Point& point, std::size_t path) {
    point.path = path;
    p_ = point.pattern;
    s_ = path;
    return true;
  }

  std::string_view pattern_;
  std::string_view path_;
  std::size_t p_ = 0;
  std::size_t s_ = 0;
  Point star_;
  Point globstar_;
};

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) {
  return Matcher(pattern, path).run();
}

}  // namespace img
