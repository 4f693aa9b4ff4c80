// SPDX-License-Identifier: Apache-2.0
// The strict JSON parser and the two written forms.
#include "builder/base/json.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

namespace img {
namespace {

/// Walks over the text and keeps count, so that the handlers below know where the parser stands.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

/// Turns offsets of one document into positions for people.
class Document {
 public:
  Document(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::string_view text() const { return text_; }

  [[noreturn]] void fail(std::string message, std::size_t from, std::size_t to) const {
    throw InputError(ErrorText{.message = std::move(message), .position = position(from, to)});
  }

 private:
  Position position(std::size_t from, std::size_t to) const {
    from = std::min(from, text_.size());
    const std::string_view before = text_.substr(0, from);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    const std::string_view line = text_.substr(line_start, text_.find('\n', from) - line_start);
    const auto lines = std::count(before.begin(), before.end(), '\n');
    // A lock is one file of some thousand lines, but a hostile one may be a single huge line.
    return {.file = name_,
            .line = static_cast<int>(lines) + 1,
            .column = static_cast<int>(from - line_start) + 1,
            .source_line = std::string(line),
            .width = to > from ? static_cast<int>(to - from) : 1};
  }

  std::string_view text_;
  const std::string& name_;
};

/// nlohmann's wording without its prefix ("[json.exception…] parse error at …: syntax error while …
/// - ") and without its quote of the input, which the excerpt shows better.
std::string reason_of(std::string_view what) {
  const std::size_t dash = what.find(" - ");
  if (dash != std::string_view::npos) what.remove_prefix(dash + 3);
  if (what.starts_with("[")) what.remove_prefix(std::min(what.size(), what.find("] ") + 2));
  const std::size_t quote = what.find("; last read: ");
  if (quote == std::string_view::npos) return std::string(what);
  const std::size_t expected = what.find("; expected ", quote);
  std::string reason(what.substr(0, quote));
  if (expected != std::string_view::npos) reason += what.substr(expected);
  return reason;
}

/// Builds the value and refuses what the library would let pass.
class StrictHandler {
 public:
  StrictHandler(const Document& document, int max_depth, const char* const& reached)
      : document_(document), max_depth_(max_depth), reached_(reached) {}

  Json take() { return std::move(root_); }

  // NOLINTBEGIN(readability-identifier-naming): the names are the library's.
  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(std::int64_t value) { return add(value); }
  bool number_unsigned(std::uint64_t value) { return add(value); }
  bool number_float(double value, const std::string& token) {
    // The lexer turns an integer that does not fit into a double, which would lose digits.
    if (token.find_first_of(".eE") == std::string::npos) {
      fail_at_number("integer is too large: it needs more than 64 bits", token.size());
    }
    return add(value);
  }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }

  bool key(std::string& name) {
    const auto [member, is_new] = stack_.back()->get_ref<Json::object_t&>().emplace(name, nullptr);
    if (!is_new) {
      document_.fail("duplicate key '" + name + "'", start_of_string(), offset());
    }
    member_ = &member->second;
    return true;
  }

  bool start_object(std::size_t) { return open(Json::object()); }
  bool end_object() { return close(); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_array() { return close(); }

  template <typename Exception>
  bool parse_error(std::size_t position, const std::string&, const Exception& error) {
    // Positions of the library count from 1 and are those of the last byte read.
    const std::size_t at = position > 0 ? position - 1 : 0;
    document_.fail("not JSON: " + reason_of(error.what()), at, at + 1);
    return false;
  }
  // NOLINTEND(readability-identifier-naming)

 private:
  std::size_t offset() const {
    return static_cast<std::size_t>(reached_ - document_.text().data());
  }

  /// The parser stands behind a string's closing quote; its opening quote is the nearest one before
  /// that is not escaped.
  std::size_t start_of_string() const {
    const std::string_view text = document_.text();
    std::size_t at = offset() - 1;
    while (at > 0) {
      --at;
      if (text[at] != '"') continue;
      std::size_t slashes = 0;
      while (slashes < at && text[at - 1 - slashes] == '\\') ++slashes;
      if (slashes % 2 == 0) return at;
    }
    return 0;
  }

  [[noreturn]] void fail_at_number(std::string message, std::size_t length) const {
    // The lexer has read one byte beyond a number unless the text ended there.
    const std::string_view text = document_.text();
    std::size_t end = std::min(offset(), text.size());
    while (end > 0 && (text[end - 1] < '0' || text[end - 1] > '9')) --end;
    document_.fail(std::move(message), end - std::min(end, length), end);
  }

  Json* place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    if (stack_.back()->is_array()) {
      auto& items = stack_.back()->get_ref<Json::array_t&>();
      items.push_back(std::move(value));
      return &items.back();
    }
    *member_ = std::move(value);
    return member_;
  }

  bool add(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json container) {
    if (stack_.size() == static_cast<std::size_t>(max_depth_)) {
      document_.fail("nested more than " + std::to_string(max_depth_) + " levels deep",
                     offset() - 1, offset());
    }
    stack_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  const Document& document_;
  const int max_depth_;
  const char* const& reached_;
  Json root_;
  std::vector<Json*> stack_;  // open containers; only the last one grows, so the pointers hold
  Json* member_ = nullptr;    // where the value of the last key goes
};

std::string dump(const Json& value, int indent) {
  try {
    return value.dump(indent, ' ', false, Json::error_handler_t::strict);
  } catch (const Json::exception& error) {
    throw InternalError(std::string("cannot write JSON: ") + error.what());
  }
}

}  // namespace

Json parse_json(std::string_view text, const std::string& name, JsonLimits limits) {
  if (text.size() > limits.bytes) {
    throw InputError(ErrorText{"'" + name + "' is larger than allowed",
                               {{"limit", with_commas(limits.bytes) + " bytes"},
                                {"got", with_commas(text.size()) + " bytes"}}});
  }
  const Document document(text, name);
  // The library would skip it; documents of ours and of OCI do not have it.
  if (text.starts_with("\xEF\xBB\xBF")) document.fail("not JSON: byte-order mark", 0, 3);
  // The library takes it for the end and would not see what follows.
  const std::size_t nul = text.find('\0');
  if (nul != std::string_view::npos) document.fail("not JSON: NUL byte", nul, nul + 1);

  const char* reached = text.data();
  StrictHandler handler(document, limits.depth, reached);
  const CountingIterator first(text.data(), &reached);
  const CountingIterator last(text.data() + text.size(), &reached);
  if (!Json::sax_parse(first, last, &handler)) {
    throw InternalError("JSON parser stopped without an error in '" + name + "'");
  }
  return handler.take();
}

std::string canonical_json(const Json& value) { return dump(value, -1); }

std::string pretty_json(const Json& value) { return dump(value, 2) + "\n"; }

}  // namespace img
