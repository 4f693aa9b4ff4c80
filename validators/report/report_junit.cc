// SPDX-License-Identifier: Apache-2.0
// The form that CI servers read: JUnit XML, one suite a tier.

#include "validators/report/markup.h"
#include "validators/report/renderers.h"
#include "validators/report/summary.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace img {
namespace {

constexpr std::array<Tier, 4> kTiers{Tier::image, Tier::container, Tier::gpu, Tier::multi_gpu};
constexpr std::size_t kFindingsShown = 100;

std::string attribute(const char* name, std::string_view value) {
  return " " + std::string(name) + "=\"" + escape_xml(value) + "\"";
}

std::string time_attribute(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", seconds);
  return attribute("time", text);
}

struct Tally {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;

  void add(const CheckResult& check) {
    ++tests;
    failures += check.status == Status::fail ? 1 : 0;
    errors += check.status == Status::blocked ? 1 : 0;
    skipped += check.status == Status::skipped || check.status == Status::waived ? 1 : 0;
    seconds += check.seconds;
  }
  std::string attributes() const {
    return attribute("tests", std::to_string(tests)) +
           attribute("failures", std::to_string(failures)) +
           attribute("errors", std::to_string(errors)) +
           attribute("skipped", std::to_string(skipped)) + time_attribute(seconds);
  }
};

std::string evidence(const CheckResult& check) {
  std::string out;
  std::size_t count = 0;
  for (const Finding& finding : check.findings) {
    if (count++ >= kFindingsShown) continue;
    out += std::string(to_string(finding.status)) + ": " + finding.message + "\n";
    const auto add = [&](const char* label, const std::string& value) {
      if (!value.empty()) out += std::string("  ") + label + ": " + value + "\n";
    };
    add("path", finding.path);
    add("layer", finding.layer);
    add("expected", finding.expected + (finding.source.empty() || finding.expected.empty()
                                            ? ""
                                            : " (" + finding.source + ")"));
    add("got", finding.actual);
  }
  if (count > kFindingsShown) out += "and " + std::to_string(count - kFindingsShown) + " more\n";
  return out;
}

std::string property(const char* name, std::string_view value) {
  return "<property" + attribute("name", name) + attribute("value", value) + "/>";
}

std::string outcome(const CheckResult& check) {
  const std::string line = line_of(check);
  switch (check.status) {
    case Status::fail:
      return "      <failure" + attribute("type", "fail") + attribute("message", line) + ">" +
             escape_xml(evidence(check)) + "</failure>\n";
    case Status::blocked:
      return "      <error" + attribute("type", "blocked") + attribute("message", line) + ">" +
             escape_xml(evidence(check)) + "</error>\n";
    case Status::skipped:
    case Status::waived:
      return "      <skipped" + attribute("message", line) + "/>\n";
    default:
      return {};
  }
}

std::string testcase(const CheckResult& check) {
  std::string body;
  if (check.status == Status::waived) {
    body += "      <properties>" + property("waiver.reason", check.waiver_reason) +
            property("waiver.expiry", check.waiver_expiry) + "</properties>\n";
  }
  body += outcome(check);
  const bool told = check.status == Status::fail || check.status == Status::blocked;
  if (!told && !check.findings.empty()) {
    body += "      <system-out>" + escape_xml(evidence(check)) + "</system-out>\n";
  }
  const std::string head =
      "    <testcase" + attribute("classname", "imgcheck." + std::string(to_string(check.tier))) +
      attribute("name", check.id) + time_attribute(check.seconds);
  return body.empty() ? head + "/>\n" : head + ">\n" + body + "    </testcase>\n";
}

std::string suite_properties(const Report& report) {
  std::string out = "    <properties>\n";
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out += "      " + property(name, value) + "\n";
  };
  add("image.reference", report.image.reference);
  add("image.manifestDigest", report.image.manifest_digest);
  add("manifest.name", report.manifest_name);
  add("manifest.checksum", report.manifest_checksum);
  add("tool.version", report.tool_version);
  add("machine.runtime", report.machine.runtime);
  add("verdict", verdict_line(report));
  return out + "    </properties>\n";
}

/// "2026-11-25T00:10:41": the form has no zone.
std::string timestamp(const Report& report) {
  return report.started.empty() ? "" : attribute("timestamp", report.started.substr(0, 19));
}

}  // namespace

std::string render_junit(const Report& report) {
  Tally total;
  std::string suites;
  for (const Tier tier : kTiers) {
    Tally tally;
    std::string cases;
    for (const CheckResult* check : by_urgency(report)) {
      if (check->tier != tier) continue;
      tally.add(*check);
      total.add(*check);
      cases += testcase(*check);
    }
    if (tally.tests == 0) continue;
    suites += "  <testsuite" + attribute("name", "imgcheck." + std::string(to_string(tier))) +
              tally.attributes() + timestamp(report) + ">\n" + suite_properties(report) + cases +
              "  </testsuite>\n";
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
         attribute("name", "imgcheck " + image_title(report)) + total.attributes() + ">\n" +
         suites + "</testsuites>\n";
}

}  // namespace img
