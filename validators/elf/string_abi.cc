// SPDX-License-Identifier: Apache-2.0
// Tells from a mangled C++ name which std::string it was compiled with.
#include "validators/elf/string_abi.h"

#include <algorithm>
#include <cstddef>

namespace img {
namespace {

constexpr std::string_view kNewString = "7__cxx1112basic_string";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_sequence(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); }

/// Walks the tokens of a mangled name far enough to tell a substitution from other letters.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  bool find_old_string() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_digit(c)) {
        skip_number_or_name();
      } else if (c == 'S') {
        if (peek(1) == 's') return true;
        skip_substitution();
      } else if (c == 'L') {
        skip_literal();
      } else if (is_operator_with_s()) {
        at_ += 2;
      } else {
        ++at_;
      }
    }
    return false;
  }

 private:
  char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  /// operator=, <<=, >>= are "aS", "lS", "rS", and end the nested name that holds them.
  bool is_operator_with_s() const {
    const char c = text_[at_];
    return (c == 'a' || c == 'l' || c == 'r') && peek(1) == 'S' &&
           (peek(2) == 'E' || peek(2) == 'I');
  }

  std::size_t read_number() {
    std::size_t number = 0;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      number = std::min<std::size_t>(number * 10 + static_cast<std::size_t>(text_[at_] - '0'),
                                     text_.size());
    }
    return number;
  }

  /// A length with an identifier; or a number with '_' (array bounds, discriminators).
  void skip_number_or_name() {
    const bool after_end = at_ > 0 && text_[at_ - 1] == 'E';
    const bool after_array = at_ > 0 && text_[at_ - 1] == 'A';
    const std::size_t length = read_number();
    if (peek(0) == '_' && (length == 0 || after_array || (after_end && length < 3))) {
      ++at_;
      return;
    }
    at_ += std::min(length, text_.size() - at_);
  }

  /// "S_", "S1A_", "St", "Sa", …
  void skip_substitution() {
    ++at_;
    while (at_ < text_.size() && is_sequence(text_[at_])) ++at_;
    if (at_ < text_.size()) ++at_;  // '_', or the letter of an abbreviation
  }

  /// "Lb1E", "LN3c1010ScalarTypeE6E": the digits of a value are no length of an identifier.
  void skip_literal() {
    ++at_;
    if (is_digit(peek(0))) {
      skip_number_or_name();
    } else if (peek(0) == 'N') {
      skip_simple_nested_name();
    } else if (peek(0) == 'S') {
      if (peek(1) == 's') return;
      skip_substitution();
    } else if (is_lower(peek(0))) {
      ++at_;
    } else {
      return;
    }
    const std::size_t start = at_;
    if (peek(0) == 'n') ++at_;
    while (is_digit(peek(0)) || (peek(0) >= 'a' && peek(0) <= 'f')) ++at_;
    if (peek(0) == 'E') {
      ++at_;
    } else {
      at_ = start;  // a name with internal linkage, not a literal
    }
  }

  void skip_simple_nested_name() {
    ++at_;
    while (at_ < text_.size()) {
      if (is_digit(text_[at_])) {
        skip_number_or_name();
      } else if (text_[at_] == 'S' && peek(1) != 's') {
        skip_substitution();
      } else {
        break;
      }
    }
    if (peek(0) == 'E') ++at_;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

StringAbi string_abi_of(std::string_view mangled) {
  if (!mangled.starts_with("_Z")) return {};
  StringAbi abi;
  abi.new_string = mangled.find(kNewString) != std::string_view::npos;
  abi.old_string =
      mangled.find("Ss") != std::string_view::npos && Tokens(mangled.substr(2)).find_old_string();
  return abi;
}

}  // namespace img
