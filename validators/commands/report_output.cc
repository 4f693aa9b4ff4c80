// SPDX-License-Identifier: Apache-2.0
// Writes reports to files and standard output.

#include "validators/commands/report_output.h"

#include "builder/base/file.h"
#include "builder/base/text.h"

#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<std::string_view, ReportFormat>, 6> kEndings{{
    {".json", ReportFormat::json},
    {".html", ReportFormat::html},
    {".md", ReportFormat::markdown},
    {".xml", ReportFormat::junit},
    {".sarif", ReportFormat::sarif},
    {".txt", ReportFormat::text},
}};

std::optional<ReportFormat> format_of_file(const std::string& file) {
  for (const auto& [ending, format] : kEndings) {
    if (file.ends_with(ending)) return format;
  }
  return std::nullopt;
}

}  // namespace

void add_output_flags(CLI::App& command, OutputFlags& flags) {
  command.add_option("--format", flags.format,
                     "text, json, markdown, html, junit, sarif or\ngithub; default: by the name of "
                     "FILE, else text");
  command.add_option("-o,--output", flags.file, "File that gets the report");
}

ReportFormat output_format(const OutputFlags& flags, const Console& console) {
  if (!flags.format.empty()) {
    if (const auto format = parse_report_format(flags.format)) return *format;
    const auto names = report_format_names();
    const auto near = did_you_mean(flags.format, names);
    throw UsageError(
        ErrorText{.message = "'" + flags.format + "' is no form of a report",
                  .hint = near ? "did you mean '" + *near + "'?" : "use " + join(names, ", ")});
  }
  if (console.json()) return ReportFormat::json;
  if (flags.file.empty()) return ReportFormat::text;
  if (const auto format = format_of_file(flags.file)) return *format;
  throw UsageError(ErrorText{.message = "the name '" + flags.file + "' does not say which form",
                             .hint = "add --format"});
}

void write_report(Console& console, const Report& report, const OutputFlags& flags) {
  const ReportFormat format = output_format(flags, console);
  if (flags.file.empty()) {
    console.write(render(report, format, console.render_options()));
  } else {
    write_file(flags.file, render(report, format));
  }
}

}  // namespace img
