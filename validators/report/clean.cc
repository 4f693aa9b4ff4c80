// SPDX-License-Identifier: Apache-2.0
// Cleans every text member of a report.

#include "validators/report/clean.h"

#include "builder/base/text.h"

#include <algorithm>

namespace img {
namespace {

/// A cut never falls inside a character.
std::size_t cut_before(std::string_view text, std::size_t limit) {
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0) == 0x80) --limit;
  return limit;
}

void clean(std::string& text) { text = clean_text(text); }

void clean(std::vector<std::string>& texts) {
  for (std::string& text : texts) clean(text);
}

void clean(Finding& finding) {
  for (std::string* text : {&finding.message, &finding.path, &finding.layer, &finding.expected,
                            &finding.actual, &finding.source}) {
    clean(*text);
  }
}

void clean(CheckResult& check) {
  for (std::string* text : {&check.id, &check.reason, &check.waiver_reason, &check.waiver_expiry}) {
    clean(*text);
  }
  for (Finding& finding : check.findings) clean(finding);
  // An id is a name, whatever a file says: lines and headings are made of it.
  std::replace(check.id.begin(), check.id.end(), '\n', ' ');
  std::replace(check.id.begin(), check.id.end(), '\t', ' ');
}

template <typename Value>
std::map<std::string, Value> with_clean_keys(const std::map<std::string, Value>& members) {
  std::map<std::string, Value> clean_members;
  for (const auto& [key, value] : members) clean_members[clean_text(key)] = value;
  return clean_members;
}

void clean(ReportImage& image) {
  for (std::string* text :
       {&image.reference, &image.manifest_digest, &image.config_digest, &image.name}) {
    clean(*text);
  }
  clean(image.layers);
}

void clean(ReportMachine& machine) {
  for (std::string* text :
       {&machine.kernel, &machine.architecture, &machine.cpu, &machine.runtime, &machine.driver}) {
    clean(*text);
  }
  clean(machine.gpus);
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string suffix;
  if (text.size() > kTextLimit) {
    const std::size_t kept = cut_before(text, kTextLimit);
    suffix = "… (" + with_commas(text.size() - kept) + " more bytes)";
    text = text.substr(0, kept);
  }
  std::string out;
  while (true) {
    const std::size_t end = text.find_first_of("\n\t");
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) break;
    out += text[end];
    text.remove_prefix(end + 1);
  }
  return out + suffix;
}

Report cleaned(const Report& report) {
  Report clean_report = report;
  for (std::string* text : {&clean_report.tool_version, &clean_report.started,
                            &clean_report.manifest_name, &clean_report.manifest_checksum}) {
    clean(*text);
  }
  clean(clean_report.image);
  clean(clean_report.machine);
  clean(clean_report.tiers);
  clean(clean_report.notes);
  clean_report.phases = with_clean_keys(report.phases);
  clean_report.facts = with_clean_keys(report.facts);
  for (auto& [key, value] : clean_report.facts) clean(value);
  for (CheckResult& check : clean_report.checks) clean(check);
  if (clean_report.verdict) {
    clean(clean_report.verdict->policy);
    clean(clean_report.verdict->reasons);
  }
  return clean_report;
}

}  // namespace img
