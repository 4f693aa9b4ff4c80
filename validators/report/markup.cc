// SPDX-License-Identifier: Apache-2.0
// Escaping by form.

#include "validators/report/markup.h"

#include <algorithm>
#include <cctype>

namespace img {
namespace {

/// Forms that become links, mentions or references although they are no markup.
bool would_be_linked(std::string_view text) {
  if (text.find("://") != std::string_view::npos || text.find("www.") != std::string_view::npos ||
      text.find('@') != std::string_view::npos) {
    return true;
  }
  for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1)) {
    if (at + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[at + 1])) != 0) {
      return true;
    }
  }
  return false;
}

std::size_t longest_run(std::string_view text, char c) {
  std::size_t longest = 0, run = 0;
  for (const char other : text) {
    run = other == c ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

bool is_forbidden_in_xml(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20) return byte != '\n' && byte != '\t' && byte != '\r';
  // U+FFFE and U+FFFF
  return byte == 0xEF && at + 2 < text.size() && text[at + 1] == '\xBF' &&
         (text[at + 2] == '\xBE' || text[at + 2] == '\xBF');
}

}  // namespace

std::string escape_xml(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (is_forbidden_in_xml(text, at)) {
      out += "\xEF\xBF\xBD";
      if (text[at] == '\xEF') at += 2;
      continue;
    }
    switch (text[at]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += text[at];
    }
  }
  return out;
}

std::string markdown_code(std::string_view text) {
  std::string content;
  for (const char c : text) {
    // A pipe would end the cell of a table, also inside a span.
    content += c == '|' ? "\\|" : std::string(1, c == '\n' || c == '\t' ? ' ' : c);
  }
  if (content.empty()) return "(empty)";
  const std::string fence(longest_run(content, '`') + 1, '`');
  const bool pad = content.front() == '`' || content.back() == '`' || content.front() == ' ';
  return fence + (pad ? " " : "") + content + (pad ? " " : "") + fence;
}

std::string markdown_text(std::string_view text) {
  if (would_be_linked(text)) return markdown_code(text);
  constexpr std::string_view kMarkup = "\\`*_{}[]<>()#+!|~&$-=";
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\t') {
      out += ' ';
      continue;
    }
    if (kMarkup.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string escape_uri_path(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  constexpr std::string_view kUnreserved = "-._~/";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && (std::isalnum(byte) != 0 || kUnreserved.find(c) != std::string_view::npos)) {
      out += c;
    } else {
      out += '%';
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
    }
  }
  return out;
}

}  // namespace img
