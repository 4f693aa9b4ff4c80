// SPDX-License-Identifier: Apache-2.0
// Order and short texts of results.

#include "validators/report/summary.h"

#include "validators/judge/catalogue.h"

#include <cstdio>

namespace img {

std::vector<const CheckResult*> by_urgency(const Report& report) {
  std::vector<const CheckResult*> ordered;
  for (const Status status : kByUrgency) {
    for (const CheckResult& check : report.checks) {
      if (check.status == status) ordered.push_back(&check);
    }
  }
  return ordered;
}

std::string_view title_of(const CheckResult& check) {
  const CheckInfo* const info = find_check(check.id);
  return info == nullptr ? std::string_view{} : info->title;
}

std::string line_of(const CheckResult& check) {
  std::string line = check.reason;
  if (line.empty() && !check.findings.empty()) {
    line = check.findings.front().message;
    if (check.findings.size() > 1) {
      line += " (and " + std::to_string(check.findings.size() - 1) + " more)";
    }
  }
  if (line.empty()) line = title_of(check);
  if (check.status == Status::waived) {
    line += "; waived until " + check.waiver_expiry + ": " + check.waiver_reason;
  }
  if (check.simulated) line += " [simulated: satisfies no gate]";
  return on_one_line(line);
}

std::string counts_line(const Report& report) {
  const auto counts = counts_of(report.checks);
  std::string line =
      std::to_string(report.checks.size()) + (report.checks.size() == 1 ? " check:" : " checks:");
  const char* separator = " ";
  for (const Status status : kByUrgency) {
    const std::string name(to_string(status));
    line += separator + std::to_string(counts.at(name)) + " " + name;
    separator = ", ";
  }
  return line;
}

std::string image_title(const Report& report) {
  for (const std::string* text :
       {&report.image.name, &report.image.reference, &report.image.manifest_digest}) {
    if (!text->empty()) return on_one_line(*text);
  }
  return "image";
}

std::string verdict_line(const Report& report) {
  if (!report.verdict) return {};
  return std::string(report.verdict->allowed ? "allowed" : "denied") + " by policy '" +
         on_one_line(report.verdict->policy) + "'";
}

std::string duration_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
  return text;
}

std::string on_one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return line;
}

}  // namespace img
