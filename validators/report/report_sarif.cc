// SPDX-License-Identifier: Apache-2.0
// The form for code scanning: SARIF 2.1.0, one result a finding that needs a reader.

#include "validators/judge/catalogue.h"
#include "validators/report/markup.h"
#include "validators/report/renderers.h"
#include "validators/report/summary.h"

#include <cstdio>

namespace img {
namespace {

std::string sentence(std::string_view text) {
  std::string out(text);
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z') {
    out.front() = static_cast<char>(out.front() - 'a' + 'A');
  }
  return out + ".";
}

const char* level_of(Status status) { return status == Status::warn ? "warning" : "error"; }

/// What code scanning sorts by: a number from 0 to 10 as text.
const char* score_of(Severity severity) {
  switch (severity) {
    case Severity::critical:
      return "9.5";
    case Severity::high:
      return "8.0";
    case Severity::medium:
      return "5.0";
    default:
      return "2.0";
  }
}

Json rule_json(const CheckInfo& info) {
  const std::string mend = sentence(info.mend);
  return {{"id", info.id},
          {"name", info.id},
          {"shortDescription", {{"text", sentence(info.title)}}},
          {"fullDescription", {{"text", sentence(info.rule)}}},
          {"help",
           {{"text", sentence(info.why) + "\n" + sentence(info.incident) + "\n" + mend},
            {"markdown", markdown_text(sentence(info.why)) +
                             "\n\nSeen: " + markdown_text(sentence(info.incident)) +
                             "\n\nMend: " + markdown_text(mend)}}},
          {"defaultConfiguration", {{"level", "error"}}},
          {"properties",
           {{"tags", {std::string(to_string(info.tier))}},
            {"precision", "high"},
            {"security-severity", score_of(info.severity)}}}};
}

/// The name of the image as a relative reference without a scheme.
std::string image_uri(const Report& report) { return escape_uri_path(image_title(report)); }

/// A place in an image: the path as artifact, the layer that brings it as logical location.
Json location_json(const Report& report, const Finding& finding) {
  std::string path = finding.path;
  while (path.starts_with('/')) path.erase(0, 1);
  Json location = {
      {"physicalLocation",
       {{"artifactLocation", {{"uri", path.empty() ? image_uri(report) : escape_uri_path(path)}}},
        {"region", {{"startLine", 1}}}}}};
  if (!finding.layer.empty()) {
    location["logicalLocations"] =
        Json::array({{{"fullyQualifiedName", finding.layer + finding.path}, {"kind", "resource"}}});
  }
  return location;
}

/// FNV-1a: the same finding of two runs is one alert.
std::string fingerprint(const CheckResult& check, const Finding& finding) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const std::string_view part : {std::string_view(check.id), std::string_view(finding.path),
                                      std::string_view(finding.message)}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    hash = (hash ^ 0xff) * 0x100000001b3ull;
  }
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

std::string message_of(const Finding& finding) {
  std::string text = finding.message;
  if (!finding.expected.empty()) {
    text += "\nexpected: " + finding.expected +
            (finding.source.empty() ? "" : " (" + finding.source + ")");
  }
  if (!finding.actual.empty()) text += "\ngot: " + finding.actual;
  return text;
}

Json result_json(const Report& report, const CheckResult& check, const Finding& finding) {
  Json result = {{"ruleId", check.id},
                 {"level", level_of(finding.status)},
                 {"message", {{"text", message_of(finding)}}},
                 {"locations", Json::array({location_json(report, finding)})},
                 {"partialFingerprints", {{"imgcheckFinding/v1", fingerprint(check, finding)}}}};
  std::size_t index = 0;
  for (const CheckInfo& info : catalogue()) {
    if (info.id == check.id) result["ruleIndex"] = index;
    ++index;
  }
  if (check.status == Status::waived && finding.status == Status::fail) {
    result["suppressions"] = Json::array(
        {{{"kind", "external"},
          {"status", "accepted"},
          {"justification", check.waiver_reason + " (until " + check.waiver_expiry + ")"}}});
  }
  return result;
}

/// A check that failed without evidence still is a result.
std::vector<Finding> findings_to_tell(const CheckResult& check) {
  std::vector<Finding> told;
  if (check.status == Status::skipped || check.status == Status::blocked) return told;
  for (const Finding& finding : check.findings) {
    if (finding.status != Status::pass) told.push_back(finding);
  }
  if (told.empty() && check.status != Status::pass) {
    told.push_back({.status = check.status == Status::warn ? Status::warn : Status::fail,
                    .message = line_of(check)});
  }
  return told;
}

Json notification(const char* level, const std::string& text) {
  return {{"level", level}, {"message", {{"text", text}}}};
}

Json invocation_json(const Report& report, std::size_t left_out) {
  Json notifications = Json::array();
  bool complete = true;
  for (const CheckResult& check : report.checks) {
    if (check.status != Status::blocked) continue;
    complete = false;
    notifications.push_back(notification("error", check.id + " could not run: " + line_of(check)));
  }
  if (left_out != 0) {
    notifications.push_back(notification(
        "warning", std::to_string(left_out) + " more results are left out; the JSON report has "
                                              "all"));
  }
  Json invocation = {{"executionSuccessful", complete},
                     {"toolExecutionNotifications", std::move(notifications)}};
  if (!report.started.empty()) invocation["startTimeUtc"] = report.started;
  return invocation;
}

}  // namespace

std::string render_sarif(const Report& report) {
  Json rules = Json::array(), results = Json::array();
  for (const CheckInfo& info : catalogue()) rules.push_back(rule_json(info));
  std::size_t left_out = 0;
  for (const CheckResult* check : by_urgency(report)) {
    for (const Finding& finding : findings_to_tell(*check)) {
      if (results.size() == kSarifLimit) {
        ++left_out;
      } else {
        results.push_back(result_json(report, *check, finding));
      }
    }
  }
  const Json run = {
      {"tool",
       {{"driver",
         {{"name", "imgcheck"}, {"semanticVersion", report.tool_version}, {"rules", rules}}}}},
      {"invocations", Json::array({invocation_json(report, left_out)})},
      {"properties",
       {{"imageReference", report.image.reference},
        {"imageManifestDigest", report.image.manifest_digest},
        {"manifestChecksum", report.manifest_checksum}}},
      {"results", std::move(results)}};
  return pretty_json({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
                      {"version", "2.1.0"},
                      {"runs", Json::array({run})}});
}

}  // namespace img
