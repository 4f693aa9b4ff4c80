// SPDX-License-Identifier: Apache-2.0
// One function a form; each takes a report whose texts are clean (clean.h).
#pragma once

#include "validators/report/report.h"

#include <string>

namespace img {

std::string render_text(const Report& report, const RenderOptions& options);
std::string render_markdown(const Report& report);
std::string render_html(const Report& report);
std::string render_junit(const Report& report);
std::string render_sarif(const Report& report);
std::string render_github(const Report& report);

/// The style sheet of the HTML form, and its sha256 in base64 as the page's own policy names it.
std::string_view html_style();
std::string_view html_style_hash();

}  // namespace img
