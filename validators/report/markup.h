// SPDX-License-Identifier: Apache-2.0
// Escaping for the marked-up forms. All take clean text (clean.h).
#pragma once

#include <string>
#include <string_view>

namespace img {

/// For text and quoted attributes of HTML and XML. Characters that XML 1.0 forbids become U+FFFD.
std::string escape_xml(std::string_view text);
/// Text of GitHub Markdown that is nothing but text: no markup, links, mentions or references.
std::string markdown_text(std::string_view text);
/// A code span that its content cannot end, on one line.
std::string markdown_code(std::string_view text);
/// Path of a URI reference: everything but unreserved characters and '/' as %XX.
std::string escape_uri_path(std::string_view text);

}  // namespace img
