// SPDX-License-Identifier: Apache-2.0
// Renders an Error as the multi-line text that a user reads.
#include "builder/base/error.h"

#include "builder/base/text.h"

#include <algorithm>
#include <string_view>

#include <string.h>

namespace img {
namespace {

/// Width of the excerpt beyond which a window around the marked column is shown instead.
constexpr std::size_t kExcerptWidth = 88;

/// nullptr for numbers that are no errors.
const char* description_of(int errno_value) {
#if __GLIBC_PREREQ(2, 32)
  // Unlike strerror() this one is thread-safe and does not follow the locale.
  return strerrordesc_np(errno_value);
#else
  // The portable programs have one thread where this is called, and never set a locale.
  return strerror(errno_value);
#endif
}

ErrorText with_reason(int errno_value, ErrorText text) {
  const char* reason = description_of(errno_value);
  text.message += ": ";
  text.message += reason != nullptr ? reason : "error " + std::to_string(errno_value);
  return text;
}

/// One line of source made printable, with the marked bytes mapped to columns of the terminal.
struct Excerpt {
  std::string line;
  std::size_t mark_from = 0;  // columns
  std::size_t mark_width = 0;
};

/// Start of the first byte to show: far into a long line the excerpt starts before the mark.
std::size_t window_start(const Position& position, std::size_t mark) {
  if (position.source_line.size() <= kExcerptWidth || mark < kExcerptWidth / 2) return 0;
  std::size_t start = mark - kExcerptWidth / 2;
  while (start < mark && (position.source_line[start] & 0xC0) == 0x80) ++start;
  return start;
}

std::size_t window_end(const std::string& line, std::size_t start) {
  std::size_t end = std::min(line.size(), start + kExcerptWidth);
  while (end > start && end < line.size() && (line[end] & 0xC0) == 0x80) --end;
  return end;
}

/// Tabs become one space: the caret line below cannot know the terminal's tab stops.
std::string visible(std::string_view piece) {
  std::string spaced(piece);
  std::replace(spaced.begin(), spaced.end(), '\t', ' ');
  return printable(spaced);
}

Excerpt make_excerpt(const Position& position) {
  const std::string& line = position.source_line;
  const std::size_t column = position.column > 0 ? static_cast<std::size_t>(position.column) : 1;
  const std::size_t mark = std::min(column - 1, line.size());
  const std::size_t width = static_cast<std::size_t>(std::max(position.width, 1));
  const std::size_t start = window_start(position, mark);
  const std::size_t end = window_end(line, start);
  const std::size_t mark_end = std::min(end, mark + width);
  const std::string_view view(line);
  const std::string before = (start > 0 ? "…" : "") + visible(view.substr(start, mark - start));
  const std::string marked = mark_end > mark ? visible(view.substr(mark, mark_end - mark)) : "";
  const std::string after =
      mark_end < end
          ? visible(view.substr(std::max(mark, mark_end), end - std::max(mark, mark_end)))
          : "";
  return {before + marked + after + (end < line.size() ? "…" : ""), display_width(before),
          std::max<std::size_t>(1, display_width(marked))};
}

void append_excerpt(std::string& out, const Position& position) {
  if (position.source_line.empty()) return;
  const Excerpt excerpt = make_excerpt(position);
  const std::string number = std::to_string(position.line);
  const std::size_t gutter = std::max<std::size_t>(5, number.size());
  out += "\n" + std::string(gutter - number.size(), ' ') + number + " | " + excerpt.line;
  out += "\n" + std::string(gutter, ' ') + " | " + std::string(excerpt.mark_from, ' ') + "^" +
         std::string(excerpt.mark_width - 1, '~');
}

void append_details(std::string& out, const std::vector<ErrorDetail>& details) {
  std::size_t widest = 0;
  for (const ErrorDetail& detail : details)
    widest = std::max(widest, display_width(printable(detail.label)));
  for (const ErrorDetail& detail : details) {
    // A detail without a label goes on with the one above it.
    const std::string label = printable(detail.label);
    const std::string head = label.empty() ? "" : label + ":";
    out += "\n  " + head + std::string(widest + 2 - display_width(head), ' ') +
           printable(detail.value);
    if (!detail.origin.empty()) out += "   (" + printable(detail.origin) + ")";
  }
}

std::string place(const Position& position) {
  std::string text = printable(position.file);
  if (position.line > 0) {
    text += ":" + std::to_string(position.line);
    if (position.column > 0) text += ":" + std::to_string(position.column);
  }
  return text + ": ";
}

}  // namespace

std::string Error::render() const {
  std::string out = "error: ";
  if (text_.position && !text_.position->file.empty()) out += place(*text_.position);
  out += printable(text_.message);
  if (text_.position) append_excerpt(out, *text_.position);
  append_details(out, text_.details);
  for (const std::string& frame : frames_) out += "\n  while: " + printable(frame);
  if (!text_.hint.empty()) out += "\nhint: " + printable(text_.hint);
  return out;
}

SystemError::SystemError(int errno_value, std::string message)
    : SystemError(errno_value, ErrorText{std::move(message)}) {}

SystemError::SystemError(int errno_value, ErrorText text)
    : Error(with_reason(errno_value, std::move(text)), ExitCode::unavailable),
      errno_(errno_value) {}

}  // namespace img
