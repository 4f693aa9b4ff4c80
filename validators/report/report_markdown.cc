// SPDX-License-Identifier: Apache-2.0
// The form for a CI summary: GitHub Markdown, at most 1 MiB, what fails first.

#include "builder/base/text.h"
#include "validators/judge/catalogue.h"
#include "validators/report/markup.h"
#include "validators/report/renderers.h"
#include "validators/report/summary.h"

namespace img {
namespace {

constexpr std::size_t kFindingsShown = 20;

std::string_view symbol_of(Status status) {
  switch (status) {
    case Status::fail:
      return "❌";
    case Status::blocked:
      return "⛔";
    case Status::warn:
      return "⚠️";
    case Status::waived:
      return "📝";
    case Status::skipped:
      return "⏭️";
    default:
      return "✅";
  }
}

std::string header(const Report& report) {
  std::string out = "## imgcheck: " + markdown_text(image_title(report)) + "\n\n";
  if (report.verdict) {
    out += "**" + std::string(report.verdict->allowed ? "Allowed" : "Denied") + "** by policy " +
           markdown_code(report.verdict->policy) + "\n\n";
    for (const std::string& reason : report.verdict->reasons) {
      out += "- " + markdown_text(reason) + "\n";
    }
    if (!report.verdict->reasons.empty()) out += "\n";
  }
  out += "|";
  for (const Status status : kByUrgency) {
    out += " " + std::string(symbol_of(status)) + " " + std::string(to_string(status)) + " |";
  }
  out += "\n|";
  for (std::size_t i = 0; i < kByUrgency.size(); ++i) out += " ---: |";
  out += "\n|";
  const auto counts = counts_of(report.checks);
  for (const Status status : kByUrgency) {
    out += " " + std::to_string(counts.at(std::string(to_string(status)))) + " |";
  }
  return out + "\n\n";
}

std::string facts(const Report& report) {
  std::string out;
  const auto add = [&](const char* label, const std::string& value) {
    if (!value.empty()) out += std::string("- ") + label + " " + markdown_code(value) + "\n";
  };
  add("digest", report.image.manifest_digest);
  if (report.image.packed_size != 0) {
    add("size", human_size(report.image.packed_size) + " packed, " +
                    human_size(report.image.unpacked_size) + " unpacked");
  }
  add("manifest", report.manifest_name);
  add("tiers", join(report.tiers, ", "));
  add("runtime", report.machine.runtime);
  for (const auto& [name, value] : report.facts) add(markdown_text(name).c_str(), value);
  for (const std::string& note : report.notes) out += "- note: " + markdown_text(note) + "\n";
  return out + "\n";
}

std::string finding_item(const Finding& finding) {
  std::string out = "- " + markdown_text(finding.message) + "\n";
  const auto add = [&](const char* label, const std::string& value, const std::string& origin) {
    if (value.empty()) return;
    out += std::string("  - ") + label + " " + markdown_code(value) +
           (origin.empty() ? "" : " (" + markdown_text(origin) + ")") + "\n";
  };
  add("path", finding.path, {});
  add("layer", finding.layer, {});
  add("expected", finding.expected, finding.source);
  add("got", finding.actual, {});
  return out;
}

/// A check that a reader must act on.
std::string section(const CheckResult& check) {
  std::string out = "### " + std::string(symbol_of(check.status)) + " " + markdown_text(check.id) +
                    "\n\n" + markdown_text(line_of(check)) + "\n\n";
  std::size_t count = 0;
  for (const Finding& finding : check.findings) {
    if (finding.status == Status::pass) continue;
    if (count++ < kFindingsShown) out += finding_item(finding);
  }
  if (count > kFindingsShown) {
    out += "- and " + std::to_string(count - kFindingsShown) + " more\n";
  }
  if (count != 0) out += "\n";
  const CheckInfo* const info = find_check(check.id);
  if (info != nullptr && check.status == Status::fail) {
    out += "Mend: " + markdown_text(info->mend) + ".\n\n";
  }
  return out;
}

std::string row(const CheckResult& check) {
  return "| " + std::string(symbol_of(check.status)) + " " + markdown_text(check.id) + " | " +
         markdown_text(line_of(check)) + " | " + duration_text(check.seconds) + " |\n";
}

bool is_urgent(const CheckResult& check) {
  return check.status == Status::fail || check.status == Status::blocked ||
         check.status == Status::warn;
}

}  // namespace

std::string render_markdown(const Report& report) {
  constexpr std::string_view kTableHead =
      "| check | what was seen | time |\n| --- | --- | ---: |\n";
  constexpr std::size_t kReserve = 512;  // for the last lines
  std::string out = header(report) + facts(report);
  bool in_table = false;
  std::size_t left_out = 0;
  for (const CheckResult* check : by_urgency(report)) {
    std::string piece = is_urgent(*check) ? section(*check) : row(*check);
    if (!is_urgent(*check) && !in_table) piece.insert(0, kTableHead);
    if (left_out != 0 || out.size() + piece.size() + kReserve > kMarkdownLimit) {
      ++left_out;
      continue;
    }
    in_table = in_table || !is_urgent(*check);
    out += piece;
  }
  if (left_out != 0) {
    out += "\n**" + std::to_string(left_out) +
           " more results are left out: a summary may hold 1 MiB. The JSON report has all.**\n";
  }
  out += "\n" + markdown_text(counts_line(report)) + " in " + duration_text(report.seconds) +
         ", imgcheck " + markdown_text(report.tool_version) + "\n";
  return out;
}

}  // namespace img
