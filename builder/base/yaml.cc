// SPDX-License-Identifier: Apache-2.0
// Strict YAML: turns yaml-cpp's events into our own tree and refuses what the tree must not hold.
#include "builder/base/yaml.h"

#include "builder/base/text.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace img {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;
/// A longer line is not shown under an error: it would hide the message.
constexpr std::size_t kMaxExcerpt = 200;

std::string_view line_at(std::string_view text, int line) {
  std::size_t start = 0;
  for (int current = 1; current < line; ++current) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  return text.substr(start, text.find('\n', start) - start);
}

Position position_in(const YamlFile& file, int line, int column, int width) {
  const std::string_view source = line_at(file.text, line);
  const bool shown = source.size() <= kMaxExcerpt;
  const int room = static_cast<int>(source.size()) - column + 1;
  return {file.name, line, column, std::string(shown ? source : std::string_view()),
          std::max(1, std::min(width, room))};
}

[[noreturn]] void fail_at(const YamlFile& file, int line, int column, std::string message,
                          std::string hint = {}) {
  throw ManifestError(
      ErrorText{std::move(message), {}, position_in(file, line, column, 1), std::move(hint)});
}

/// Line and column (from 1) of a byte offset.
std::pair<int, int> line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t newline = before.rfind('\n');
  const std::size_t start = newline == std::string_view::npos ? 0 : newline + 1;
  return {1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          1 + static_cast<int>(offset - start)};
}

/// CRLF is what editors on another system write; the tree and all positions count LF only.
std::string without_carriage_returns(std::string text) {
  std::size_t out = 0;
  for (std::size_t in = 0; in < text.size(); ++in) {
    if (text[in] == '\r' && in + 1 < text.size() && text[in + 1] == '\n') continue;
    text[out++] = text[in];
  }
  text.resize(out);
  return text;
}

/// Length of the character at `offset` when it may not stand in a document (C0, C1, DEL, the line
/// separators that YAML 1.1 and 1.2 disagree about, a byte-order mark); 0 when it may.
std::size_t forbidden_at(std::string_view text, std::size_t offset) {
  const auto byte = static_cast<unsigned char>(text[offset]);
  if (byte < 0x20) return byte == '\n' || byte == '\t' ? 0 : 1;
  if (byte == 0x7f) return 1;
  const auto starts = [&](std::string_view prefix) {
    return text.substr(offset, prefix.size()) == prefix;
  };
  if (byte == 0xc2 && offset + 1 < text.size()) {
    return static_cast<unsigned char>(text[offset + 1]) < 0xa0 ? 2 : 0;
  }
  if (starts("\xe2\x80\xa8") || starts("\xe2\x80\xa9") || starts("\xef\xbb\xbf")) return 3;
  return 0;
}

std::string code_of(std::string_view bytes) {
  std::string code;
  for (const char byte : bytes) {
    const std::uint8_t value = static_cast<std::uint8_t>(byte);
    code += "\\x" + to_hex(std::span(&value, 1));
  }
  return code;
}

void check_bytes(const YamlFile& file) {
  const std::string& text = file.text;
  if (text.size() > kMaxBytes) {
    throw ManifestError(ErrorText{"'" + file.name + "' is too big for a YAML file of ours",
                                  {{"expected", "at most " + with_commas(kMaxBytes) + " bytes"},
                                   {"got", with_commas(text.size()) + " bytes"}}});
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail_at(file, 1, 1, "text is UTF-16", "save the file as UTF-8");
  }
  if (text.starts_with("\xef\xbb\xbf")) {
    fail_at(file, 1, 1, "text starts with a byte-order mark",
            "save the file as UTF-8 without a byte-order mark");
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t length = forbidden_at(text, at);
    if (length == 0) continue;
    const auto [line, column] = line_and_column(text, at);
    fail_at(file, line, column,
            "control character '" + code_of(std::string_view(text).substr(at, length)) +
                "' is not allowed");
  }
  if (!is_valid_utf8(text)) {
    int line = 1;
    std::istringstream lines(text);
    for (std::string source; std::getline(lines, source) && is_valid_utf8(source);) ++line;
    throw ManifestError(ErrorText{
        "line is not UTF-8", {}, Position{file.name, line, 1, {}, 1}, "save the file as UTF-8"});
  }
}

std::string_view name_of_kind(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "text";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
  }
  return "nothing";
}

/// Lines of a block scalar ('|' or '>'), where a tab after the indentation is content.
struct BlockLines {
  int header;
  int next;  ///< first line that is known to lie behind it
};

}  // namespace

/// Receives yaml-cpp's events; every rule of strict YAML that the text alone cannot show is held
/// here.
class YamlBuilder final : public YAML::EventHandler {
 public:
  explicit YamlBuilder(std::shared_ptr<const YamlFile> file) : file_(std::move(file)) {}

  bool has_document() const { return documents_ > 0; }
  YamlNode take_root() { return std::move(root_); }
  const std::vector<BlockLines>& blocks() const { return blocks_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second document is not allowed", "remove '---'");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_properties(mark, "?", anchor);
    add(make(YamlNode::Kind::null, mark));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias is not allowed", "write the value out");
  }

  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    fail(mark, "an anchor is not allowed", "write the value out where it is needed");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_properties(mark, tag, anchor);
    for (std::size_t at = 0; at < value.size(); ++at) {
      const std::size_t length = forbidden_at(value, at);
      if (length == 0) continue;
      fail(mark, "control character '" + code_of(std::string_view(value).substr(at, length)) +
                     "' is not allowed");
    }
    // yaml-cpp 0.7 writes the escapes \N and \_ as single bytes.
    if (!is_valid_utf8(value)) fail(mark, "text is not UTF-8 after its escapes");
    YamlNode node = make(YamlNode::Kind::scalar, mark);
    node.quoted_ = tag == "!";
    node.text_ = value;
    node.width_ = width_of(mark, node);
    if (const char first = char_at(mark.pos); node.quoted_ && (first == '|' || first == '>')) {
      blocks_.push_back({node.line_, 1 << 30});
    }
    add(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_properties(mark, tag, anchor);
    open(make(YamlNode::Kind::sequence, mark));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_properties(mark, tag, anchor);
    open(make(YamlNode::Kind::mapping, mark));
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    std::optional<YamlNode> key = {};
    std::unordered_map<std::string, int> lines = {};  ///< of the keys so far
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string message, std::string hint = {}) const {
    fail_at(*file_, mark.line + 1, mark.column + 1, std::move(message), std::move(hint));
  }

  char char_at(int offset) const {
    const auto index = static_cast<std::size_t>(offset);
    return offset >= 0 && index < file_->text.size() ? file_->text[index] : '\0';
  }

  /// yaml-cpp reports the tag "!" for a quoted scalar and for an explicit "!"; the text tells them
  /// apart.
  void check_properties(const YAML::Mark& mark, const std::string& tag,
                        YAML::anchor_t anchor) const {
    if (anchor != 0)
      fail(mark, "an anchor is not allowed", "write the value out where it is needed");
    if ((tag != "?" && tag != "!") || char_at(mark.pos) == '!') {
      fail(mark, "a tag is not allowed", "write the plain value");
    }
  }

  YamlNode make(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (++nodes_ > kMaxNodes) {
      fail(mark, "the document has more than " + with_commas(kMaxNodes) + " values");
    }
    YamlNode node;
    node.kind_ = kind;
    node.line_ = mark.line + 1;
    node.column_ = mark.column + 1;
    node.file_ = file_;
    if (!blocks_.empty() && blocks_.back().header < node.line_) {
      blocks_.back().next = std::min(blocks_.back().next, node.line_);
    }
    return node;
  }

  /// Offset of the quote that ends the quoted text at `start`; npos when there is none.
  std::size_t closing_quote(std::size_t start) const {
    const std::string& text = file_->text;
    const char quote = text[start];
    for (std::size_t at = start + 1; at < text.size(); ++at) {
      if (quote == '"' && text[at] == '\\') {
        ++at;
      } else if (text[at] == quote) {
        if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return at;
        ++at;
      }
    }
    return std::string::npos;
  }

  /// Bytes to underline; also holds that quoted text ends, which yaml-cpp lets pass at the end of a
  /// line.
  int width_of(const YAML::Mark& mark, const YamlNode& node) const {
    const auto start = static_cast<std::size_t>(mark.pos);
    const std::size_t line_end = std::min(file_->text.find('\n', start), file_->text.size());
    const char first = char_at(mark.pos);
    if (!node.quoted_) return static_cast<int>(std::min(node.text_.size(), line_end - start));
    if (first != '"' && first != '\'') return 1;
    const std::size_t end = closing_quote(start);
    if (end == std::string::npos) {
      fail(mark, "quoted text has no end", std::string("close it with ") + first);
    }
    return end < line_end ? static_cast<int>(end - start) + 1 : 1;
  }

  void open(YamlNode node) {
    if (stack_.size() >= kMaxDepth) {
      fail_at(*file_, node.line_, node.column_,
              "values are nested deeper than " + std::to_string(kMaxDepth));
    }
    if (!stack_.empty() && stack_.back().node.kind_ == YamlNode::Kind::mapping &&
        !stack_.back().key) {
      fail_key(node);
    }
    stack_.push_back({std::move(node)});
  }

  void close() {
    YamlNode node = std::move(stack_.back().node);
    stack_.pop_back();
    add(std::move(node));
  }

  [[noreturn]] void fail_key(const YamlNode& key) const {
    fail_at(*file_, key.line_, key.column_,
            "a key must be text, found " + std::string(name_of_kind(key.kind_)));
  }

  void add(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind_ == YamlNode::Kind::sequence) {
      frame.node.items_.push_back(std::move(node));
    } else if (!frame.key) {
      add_key(frame, std::move(node));
    } else {
      // An absent value has no place of its own; its key has.
      if (node.kind_ == YamlNode::Kind::null) {
        node.line_ = frame.key->line_;
        node.column_ = frame.key->column_;
        node.width_ = frame.key->width_;
      }
      frame.node.members_.emplace_back(std::move(*frame.key), std::move(node));
      frame.key.reset();
    }
  }

  void add_key(Frame& frame, YamlNode key) {
    if (key.kind_ != YamlNode::Kind::scalar) fail_key(key);
    if (!key.quoted_ && key.text_ == "<<") {
      key.fail("a merge key is not allowed", "write the keys out");
    }
    const auto [first, is_new] = frame.lines.emplace(key.text_, key.line_);
    if (!is_new) {
      throw ManifestError(ErrorText{"key '" + key.text_ + "' is given twice",
                                    {{"first", "line " + std::to_string(first->second)}},
                                    key.position(),
                                    "remove one of them"});
    }
    frame.key = std::move(key);
  }

  std::shared_ptr<const YamlFile> file_;
  std::vector<Frame> stack_;
  std::vector<BlockLines> blocks_;
  YamlNode root_;
  std::size_t nodes_ = 0;
  int documents_ = 0;
};

namespace {

/// Fails at the first line up to `last` whose indentation holds a tab, block scalars left out:
/// there a tab can be content.
void check_tabs(const YamlFile& file, const std::vector<BlockLines>& blocks, int last) {
  const auto in_block = [&](int line) {
    return std::any_of(blocks.begin(), blocks.end(), [&](const BlockLines& block) {
      return block.header < line && line < block.next;
    });
  };
  int line = 0;
  std::istringstream lines(file.text);
  for (std::string source; std::getline(lines, source) && line < last;) {
    ++line;
    const std::size_t first = source.find_first_not_of(' ');
    if (first == std::string::npos || source[first] != '\t' || in_block(line)) continue;
    if (source.find_first_not_of(" \t") == std::string::npos) continue;
    fail_at(file, line, static_cast<int>(first) + 1, "a tab is not allowed in indentation",
            "indent with spaces");
  }
}

void check_directives(const YamlFile& file) {
  std::istringstream lines(file.text);
  int line = 0;
  for (std::string source; std::getline(lines, source);) {
    ++line;
    if (source.starts_with('%')) fail_at(file, line, 1, "a directive is not allowed", "remove it");
    if (!source.empty() && source[0] != '#') return;
  }
}

}  // namespace

YamlNode parse_yaml(std::string text, const std::string& name) {
  const auto file =
      std::make_shared<const YamlFile>(YamlFile{name, without_carriage_returns(std::move(text))});
  check_bytes(*file);
  check_directives(*file);

  YamlBuilder builder(file);
  try {
    std::istringstream stream(file->text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const int line = std::max(0, error.mark.line) + 1;
    // A tab is the likeliest reason, and yaml-cpp never names it.
    check_tabs(*file, builder.blocks(), line);
    fail_at(*file, line, std::max(0, error.mark.column) + 1, "text is not YAML: " + error.msg);
  }
  check_tabs(*file, builder.blocks(), 1 << 30);
  if (!builder.has_document()) {
    throw ManifestError(ErrorText{"document is empty", {}, Position{name, 1, 1, {}, 1}});
  }
  return builder.take_root();
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const auto& [name, value] : members_) {
    if (name.text_ == key) return &value;
  }
  return nullptr;
}

Position YamlNode::position() const {
  if (!file_) return {};
  return position_in(*file_, line_, column_, width_);
}

void YamlNode::fail(const std::string& message, const std::string& hint) const {
  throw ManifestError(ErrorText{message, {}, position(), hint});
}

namespace {

[[noreturn]] void fail_kind(const YamlNode& node, std::string_view expected,
                            std::string_view what) {
  node.fail("expected " + std::string(expected) + " for " + std::string(what) + ", found " +
            std::string(name_of_kind(node.kind())));
}

}  // namespace

const std::string& YamlNode::as_text(std::string_view what) const {
  if (kind_ != Kind::scalar) fail_kind(*this, "text", what);
  return text_;
}

bool YamlNode::as_bool(std::string_view what) const {
  if (kind_ == Kind::scalar && !quoted_ && text_ == "true") return true;
  if (kind_ == Kind::scalar && !quoted_ && text_ == "false") return false;
  if (kind_ != Kind::scalar) fail_kind(*this, "true or false", what);
  fail("expected true or false for " + std::string(what) + ", found '" + text_ + "'");
}

const std::vector<YamlNode>& YamlNode::as_sequence(std::string_view what) const {
  if (kind_ != Kind::sequence) fail_kind(*this, "a list", what);
  return items_;
}

const std::vector<std::pair<YamlNode, YamlNode>>& YamlNode::as_mapping(
    std::string_view what) const {
  if (kind_ != Kind::mapping) fail_kind(*this, "a mapping", what);
  return members_;
}

std::vector<std::string> YamlNode::as_text_list(std::string_view what) const {
  std::vector<std::string> texts;
  for (const YamlNode& item : as_sequence(what)) {
    texts.push_back(item.as_text("an item of " + std::string(what)));
  }
  return texts;
}

YamlReader::YamlReader(const YamlNode& node, std::string what)
    : node_(node), what_(std::move(what)) {
  node_.as_mapping(what_);
}

std::string YamlReader::name_of(std::string_view key) const {
  return "key '" + std::string(key) + "' in " + what_;
}

const YamlNode& YamlReader::required(const char* key) {
  if (const YamlNode* node = optional(key)) return *node;
  node_.fail("key '" + std::string(key) + "' is missing in " + what_);
}

const YamlNode* YamlReader::optional(const char* key) {
  known_.emplace_back(key);
  return node_.find(key);
}

std::string YamlReader::text(const char* key) { return required(key).as_text(name_of(key)); }

std::string YamlReader::text_or(const char* key, std::string fallback) {
  const YamlNode* node = optional(key);
  return node ? node->as_text(name_of(key)) : std::move(fallback);
}

std::vector<std::string> YamlReader::text_list(const char* key) {
  const YamlNode* node = optional(key);
  return node ? node->as_text_list(name_of(key)) : std::vector<std::string>();
}

bool YamlReader::boolean_or(const char* key, bool fallback) {
  const YamlNode* node = optional(key);
  return node ? node->as_bool(name_of(key)) : fallback;
}

void YamlReader::finish() const {
  for (const auto& [key, value] : node_.members()) {
    if (std::find(known_.begin(), known_.end(), key.text()) != known_.end()) continue;
    const auto near = did_you_mean(key.text(), known_);
    key.fail("unknown key '" + key.text() + "' in " + what_,
             near ? "did you mean '" + *near + "'?" : "known keys: " + join(known_, ", "));
  }
}

}  // namespace img
