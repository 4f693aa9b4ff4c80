// SPDX-License-Identifier: Apache-2.0
// The form for a browser: one file, no script, nothing from elsewhere, every text escaped.

#include "builder/base/text.h"
#include "validators/judge/catalogue.h"
#include "validators/report/markup.h"
#include "validators/report/renderers.h"
#include "validators/report/summary.h"

namespace img {
namespace {

constexpr std::size_t kFindingsShown = 200;

std::string_view symbol_of(Status status) {
  switch (status) {
    case Status::fail:
      return "✕";
    case Status::blocked:
      return "⊘";
    case Status::warn:
      return "!";
    case Status::waived:
      return "≈";
    case Status::skipped:
      return "–";
    default:
      return "✓";
  }
}

std::string_view heading_of(Status status) {
  switch (status) {
    case Status::fail:
      return "Failed";
    case Status::blocked:
      return "Blocked: should have run and could not";
    case Status::warn:
      return "Passed with a reservation";
    case Status::waived:
      return "Failed, and accepted until a date";
    case Status::skipped:
      return "Skipped: not applicable";
    default:
      return "Passed";
  }
}

std::string element(std::string_view tag, std::string_view classes, std::string_view text) {
  std::string out = "<" + std::string(tag);
  if (!classes.empty()) out += " class=\"" + std::string(classes) + "\"";
  return out + ">" + escape_xml(text) + "</" + std::string(tag) + ">";
}

std::string term(std::string_view label, std::string_view value, bool mono = false) {
  if (value.empty()) return {};
  return element("dt", "", label) + element("dd", mono ? "mono" : "", value) + "\n";
}

/// Ids come from the report: only what an attribute may hold as an anchor.
std::string anchor_of(const CheckResult& check) {
  std::string anchor;
  for (const char c : check.id) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    anchor += plain || c == '-' ? c : '_';
  }
  return anchor;
}

std::string head(const Report& report) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '" +
         std::string(html_style_hash()) +
         "'; base-uri 'none'; form-action 'none'\">\n"
         "<meta name=\"referrer\" content=\"no-referrer\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escape_xml("imgcheck: " + image_title(report)) + "</title>\n<style>" +
         std::string(html_style()) + "</style>\n</head>\n<body>\n";
}

std::string verdict(const Report& report) {
  if (!report.verdict) return {};
  const bool allowed = report.verdict->allowed;
  std::string out = "<div class=\"verdict " + std::string(allowed ? "pass" : "fail") + "\">\n" +
                    element("p", "", (allowed ? "✓ " : "✕ ") + verdict_line(report)) + "\n";
  if (!report.verdict->reasons.empty()) {
    out += "<ul>\n";
    for (const std::string& reason : report.verdict->reasons) {
      out += element("li", "", reason) + "\n";
    }
    out += "</ul>\n";
  }
  return out + "</div>\n";
}

std::string counts(const Report& report) {
  std::string out = "<ul class=\"counts\">\n";
  const auto tally = counts_of(report.checks);
  for (const Status status : kByUrgency) {
    const std::string name(to_string(status));
    const std::uint64_t count = tally.at(name);
    const std::string inner = "<b" + std::string(count != 0 ? " class=\"" + name + "\"" : "") +
                              ">" + std::to_string(count) + "</b>" + name;
    out += count == 0 ? "<li><span>" + inner + "</span></li>\n"
                      : "<li><a href=\"#" + name + "\">" + inner + "</a></li>\n";
  }
  return out + "</ul>\n";
}

std::string machine_text(const ReportMachine& machine) {
  std::string text;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  add(machine.cpu);
  if (machine.cores != 0) add(std::to_string(machine.cores) + " cores");
  if (machine.memory != 0) add(human_size(machine.memory) + " memory");
  add(machine.kernel);
  add(machine.runtime);
  for (const std::string& gpu : machine.gpus) add(gpu);
  if (!machine.driver.empty()) add("driver " + machine.driver);
  return text;
}

std::string phases_text(const Report& report) {
  std::string text;
  for (const auto& [name, seconds] : report.phases) {
    text += (text.empty() ? "" : ", ") + name + " " + duration_text(seconds);
  }
  return text;
}

std::string about_image(const Report& report) {
  const ReportImage& image = report.image;
  std::string out = "<h2>Image</h2>\n<dl>\n";
  out += term("reference", image.reference, true);
  out += term("digest", image.manifest_digest, true);
  if (image.packed_size != 0) {
    out +=
        term("size", human_size(image.packed_size) + " packed, " + human_size(image.unpacked_size) +
                         " unpacked, " + std::to_string(image.layers.size()) + " layers");
  }
  out += term("manifest", report.manifest_name.empty() ? "none was given" : report.manifest_name);
  out += term("its checksum", report.manifest_checksum, true);
  for (const auto& [name, value] : report.facts) out += term(name, value);
  out += term("tiers", join(report.tiers, ", "));
  out += term("machine", machine_text(report.machine));
  out += term("time", phases_text(report));
  for (const std::string& note : report.notes) out += term("note", note);
  return out + "</dl>\n";
}

std::string finding_html(const Finding& finding) {
  std::string out = "<div class=\"finding " + std::string(to_string(finding.status)) + "\">\n" +
                    element("p", "", finding.message) + "\n";
  std::string details;
  const auto add = [&](std::string_view label, const std::string& value) {
    if (value.empty()) return;
    details +=
        element("dt", "", label) + "<dd class=\"mono\"><pre>" + escape_xml(value) + "</pre></dd>\n";
  };
  add("path", finding.path);
  add("layer", finding.layer);
  add("expected", finding.expected);
  add("got", finding.actual);
  details += term("according to", finding.source);
  if (!details.empty()) out += "<dl>\n" + details + "</dl>\n";
  return out + "</div>\n";
}

std::string about_check(const CheckResult& check) {
  const CheckInfo* const info = find_check(check.id);
  if (info == nullptr) return {};
  std::string out = "<dl class=\"about\">\n";
  out += term("rule", info->rule) + term("reads", info->reads) + term("why", info->why) +
         term("seen at", info->incident) + term("severity", to_string(info->severity));
  return out + "</dl>\n";
}

std::string check_html(const CheckResult& check) {
  const std::string status(to_string(check.status));
  const bool open = check.status == Status::fail || check.status == Status::blocked;
  std::string out =
      "<details class=\"check\"" + std::string(open ? " open" : "") + ">\n<summary>" +
      element("span", "status " + status, std::string(symbol_of(check.status)) + " " + status) +
      element("span", "id", check.id) + element("span", "line", line_of(check)) +
      element("span", "time", duration_text(check.seconds)) +
      "</summary>\n<div class=\"body\" id=\"" + anchor_of(check) + "\">\n";
  const CheckInfo* const info = find_check(check.id);
  if (info != nullptr) {
    out += "<p><b>" + escape_xml(info->title) + "</b> <a href=\"#" + anchor_of(check) +
           "\" aria-label=\"link to this check\">#</a></p>\n";
  }
  std::size_t count = 0;
  for (const Finding& finding : check.findings) {
    if (count++ < kFindingsShown) out += finding_html(finding);
  }
  if (count > kFindingsShown) {
    out += element(
               "p", "more",
               "and " + std::to_string(count - kFindingsShown) + " more; the JSON report has all") +
           "\n";
  }
  const bool has_run = check.status != Status::skipped && check.status != Status::blocked;
  if (info != nullptr && has_run && check.status != Status::pass) {
    out += "<p><b>Mend:</b> " + escape_xml(info->mend) + "</p>\n";
  }
  return out + about_check(check) + "</div>\n</details>\n";
}

std::string sections(const Report& report) {
  std::string out;
  for (const Status status : kByUrgency) {
    std::string checks;
    for (const CheckResult& check : report.checks) {
      if (check.status == status) checks += check_html(check);
    }
    if (checks.empty()) continue;
    out += "<h2 id=\"" + std::string(to_string(status)) + "\">" + escape_xml(heading_of(status)) +
           "</h2>\n" + checks;
  }
  return out.empty() ? element("p", "", "Nothing was checked.") + "\n" : out;
}

}  // namespace

std::string render_html(const Report& report) {
  return head(report) + "<header>\n" + element("h1", "", image_title(report)) + "\n" +
         element("p", "sub", report.image.manifest_digest) + "\n" + verdict(report) +
         counts(report) + "</header>\n<main>\n" + sections(report) + about_image(report) +
         "</main>\n" +
         element("footer", "",
                 "imgcheck " + report.tool_version + ", started " + report.started + ", " +
                     duration_text(report.seconds)) +
         "\n</body>\n</html>\n";
}

}  // namespace img
