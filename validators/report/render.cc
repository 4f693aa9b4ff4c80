// SPDX-License-Identifier: Apache-2.0
// The table of forms.

#include "validators/report/clean.h"
#include "validators/report/renderers.h"

#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<ReportFormat, std::string_view>, 7> kFormats{{
    {ReportFormat::json, "json"},
    {ReportFormat::text, "text"},
    {ReportFormat::markdown, "markdown"},
    {ReportFormat::html, "html"},
    {ReportFormat::junit, "junit"},
    {ReportFormat::sarif, "sarif"},
    {ReportFormat::github, "github"},
}};

}  // namespace

std::optional<ReportFormat> parse_report_format(std::string_view text) {
  for (const auto& [format, name] : kFormats) {
    if (name == text) return format;
  }
  return std::nullopt;
}

std::vector<std::string> report_format_names() {
  std::vector<std::string> names;
  for (const auto& [format, name] : kFormats) names.emplace_back(name);
  return names;
}

std::string render(const Report& dirty, ReportFormat format, const RenderOptions& options) {
  if (format == ReportFormat::json) return pretty_json(to_json(dirty));
  const Report report = cleaned(dirty);
  switch (format) {
    case ReportFormat::markdown:
      return render_markdown(report);
    case ReportFormat::html:
      return render_html(report);
    case ReportFormat::junit:
      return render_junit(report);
    case ReportFormat::sarif:
      return render_sarif(report);
    case ReportFormat::github:
      return render_github(report);
    default:
      return render_text(report, options);
  }
}

}  // namespace img
