// SPDX-License-Identifier: Apache-2.0
// The form for a step of GitHub Actions: annotations, at most ten of a type, and a folded list.

#include "validators/report/renderers.h"
#include "validators/report/summary.h"

#include <array>

namespace img {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

/// The older form of commands, which the runner takes anywhere in a line.
void break_old_commands(std::string& text) { replace_all(text, "##[", "## ["); }

/// The message of a workflow command.
std::string escape_data(std::string_view text) {
  std::string out(text);
  break_old_commands(out);
  replace_all(out, "%", "%25");
  replace_all(out, "\r", "%0D");
  replace_all(out, "\n", "%0A");
  return out;
}

std::string escape_property(std::string_view text) {
  std::string out = escape_data(text);
  replace_all(out, ":", "%3A");
  replace_all(out, ",", "%2C");
  return out;
}

/// A line of the log that holds no command: the runner takes "::" at its start and "##[" anywhere.
std::string log_line(const std::string& text) {
  std::string line = on_one_line(text);
  break_old_commands(line);
  return "  " + std::string(line.starts_with("::") ? "\\" : "") + line + "\n";
}

std::string message_of(const CheckResult& check) {
  std::string message = line_of(check);
  for (const Finding& finding : check.findings) {
    if (finding.status == Status::pass) continue;
    message += "\n" + finding.message;
    if (!finding.expected.empty()) message += "\n  expected: " + finding.expected;
    if (!finding.actual.empty()) message += "\n  got: " + finding.actual;
    break;  // an annotation is a pointer to the report
  }
  return message;
}

std::string annotation(std::string_view type, const CheckResult& check) {
  const std::string title = check.id + ": " + std::string(title_of(check));
  return "::" + std::string(type) + " title=" + escape_property(title) +
         "::" + escape_data(message_of(check)) + "\n";
}

/// Annotations of one type; the last one stands for all that are too many.
std::string annotations(const Report& report, std::string_view type,
                        const std::vector<Status>& statuses) {
  std::vector<const CheckResult*> checks;
  for (const CheckResult* check : by_urgency(report)) {
    for (const Status status : statuses) {
      if (check->status == status) checks.push_back(check);
    }
  }
  const bool too_many = checks.size() > kAnnotationLimit;
  const std::size_t shown = too_many ? kAnnotationLimit - 1 : checks.size();
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) out += annotation(type, *checks[i]);
  if (too_many) {
    out += "::" + std::string(type) + " title=imgcheck::" + std::to_string(checks.size() - shown) +
           " more; the JSON report has all\n";
  }
  return out;
}

}  // namespace

std::string render_github(const Report& report) {
  std::string out = annotations(report, "error", {Status::fail, Status::blocked});
  out += annotations(report, "warning", {Status::warn});
  out += annotations(report, "notice", {Status::waived});
  out += "::group::" + escape_data("imgcheck " + image_title(report)) + "\n";
  for (const CheckResult* check : by_urgency(report)) {
    out +=
        log_line(std::string(to_string(check->status)) + " " + check->id + " " + line_of(*check));
  }
  out += "::endgroup::\n";
  if (report.verdict) {
    out += log_line(verdict_line(report));
    for (const std::string& reason : report.verdict->reasons) out += log_line("- " + reason);
  }
  return out + log_line(counts_line(report)).substr(2);
}

}  // namespace img
