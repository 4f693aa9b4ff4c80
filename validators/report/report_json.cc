// SPDX-License-Identifier: Apache-2.0
// The JSON form of a report, written and read back.

#include "builder/base/error.h"
#include "validators/judge/catalogue.h"
#include "validators/report/clean.h"

#include <cmath>
#include <utility>

namespace img {
namespace {

// ---- writing

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

/// Milliseconds are enough, and never a value that JSON cannot hold.
double rounded(double seconds) {
  return std::isfinite(seconds) ? std::round(seconds * 1000) / 1000 : 0;
}

Json finding_json(const Finding& finding) {
  return {{"status", to_string(finding.status)},        {"message", finding.message},
          {"path", text_or_null(finding.path)},         {"layer", text_or_null(finding.layer)},
          {"expected", text_or_null(finding.expected)}, {"actual", text_or_null(finding.actual)},
          {"source", text_or_null(finding.source)}};
}

Json waiver_json(const CheckResult& check) {
  if (check.waiver_reason.empty() && check.waiver_expiry.empty()) return Json();
  return {{"reason", check.waiver_reason}, {"expiry", check.waiver_expiry}};
}

Json check_json(const CheckResult& check) {
  const CheckInfo* const info = find_check(check.id);
  Json findings = Json::array();
  for (const Finding& finding : check.findings) findings.push_back(finding_json(finding));
  return {{"id", check.id},
          {"tier", to_string(check.tier)},
          {"severity", info == nullptr ? Json() : Json(to_string(info->severity))},
          {"title", info == nullptr ? Json() : Json(info->title)},
          {"status", to_string(check.status)},
          {"reason", text_or_null(check.reason)},
          {"seconds", rounded(check.seconds)},
          {"simulated", check.simulated},
          {"waiver", waiver_json(check)},
          {"findings", std::move(findings)}};
}

Json image_json(const ReportImage& image) {
  return {{"reference", text_or_null(image.reference)},
          {"manifestDigest", text_or_null(image.manifest_digest)},
          {"configDigest", text_or_null(image.config_digest)},
          {"name", text_or_null(image.name)},
          {"packedSize", image.packed_size},
          {"unpackedSize", image.unpacked_size},
          {"layers", image.layers}};
}

Json machine_json(const ReportMachine& machine) {
  return {{"kernel", text_or_null(machine.kernel)},
          {"architecture", text_or_null(machine.architecture)},
          {"cpu", text_or_null(machine.cpu)},
          {"cores", machine.cores},
          {"memoryBytes", machine.memory},
          {"runtime", text_or_null(machine.runtime)},
          {"gpus", machine.gpus},
          {"driver", text_or_null(machine.driver)}};
}

Json manifest_json(const Report& report) {
  if (report.manifest_name.empty() && report.manifest_checksum.empty()) return Json();
  return {{"name", report.manifest_name}, {"checksum", report.manifest_checksum}};
}

Json verdict_json(const Report& report) {
  if (!report.verdict) return Json();
  return {{"allowed", report.verdict->allowed},
          {"exitCode", report.verdict->exit_code},
          {"policy", report.verdict->policy},
          {"reasons", report.verdict->reasons}};
}

// ---- reading

template <typename Value>
Value named(JsonReader& reader, const char* key,
            std::optional<Value> (*parse)(std::string_view text)) {
  const std::string text = reader.string(key);
  const std::optional<Value> value = parse(text);
  if (!value) reader.fail(key, "unknown value '" + text + "'");
  return *value;
}

double seconds_of(JsonReader& reader, const char* key) {
  const Json* const value = reader.find(key);
  if (value == nullptr || !value->is_number() || value->get<double>() < 0) {
    reader.fail(key, "expected a number of seconds >= 0");
  }
  return value->get<double>();
}

Finding read_finding(const Json& value, const std::string& document, const std::string& path) {
  JsonReader reader(value, document, path);
  Finding finding;
  finding.status = named(reader, "status", parse_status);
  if (finding.status != Status::pass && finding.status != Status::warn &&
      finding.status != Status::fail) {
    reader.fail("status", "a finding is pass, warn or fail");
  }
  finding.message = reader.string("message");
  finding.path = reader.string_or("path", {});
  finding.layer = reader.string_or("layer", {});
  finding.expected = reader.string_or("expected", {});
  finding.actual = reader.string_or("actual", {});
  finding.source = reader.string_or("source", {});
  reader.finish();
  return finding;
}

void read_waiver(const Json* value, CheckResult& check, const std::string& document,
                 const std::string& path) {
  if (value == nullptr || value->is_null()) return;
  JsonReader reader(*value, document, path);
  check.waiver_reason = reader.string("reason");
  check.waiver_expiry = reader.string("expiry");
  reader.finish();
}

CheckResult read_check(const Json& value, const std::string& document, const std::string& path) {
  JsonReader reader(value, document, path);
  CheckResult check;
  check.id = reader.string("id");
  check.tier = named(reader, "tier", parse_tier);
  check.status = named(reader, "status", parse_status);
  check.reason = reader.string_or("reason", {});
  check.seconds = seconds_of(reader, "seconds");
  check.simulated = reader.boolean("simulated");
  read_waiver(reader.find("waiver"), check, document, reader.path_of("waiver"));
  std::size_t index = 0;
  for (const Json& finding : reader.array("findings")) {
    check.findings.push_back(read_finding(
        finding, document, reader.path_of("findings[" + std::to_string(index++) + "]")));
  }
  // Derived from the id; a newer imgcheck may know more checks than this one.
  reader.string_or("severity", {});
  reader.string_or("title", {});
  reader.finish();
  return check;
}

ReportImage read_image(const Json& value, const std::string& document) {
  JsonReader reader(value, document, "image");
  ReportImage image;
  image.reference = reader.string_or("reference", {});
  image.manifest_digest = reader.string_or("manifestDigest", {});
  image.config_digest = reader.string_or("configDigest", {});
  image.name = reader.string_or("name", {});
  image.packed_size = reader.unsigned_integer("packedSize");
  image.unpacked_size = reader.unsigned_integer("unpackedSize");
  image.layers = reader.string_list("layers");
  reader.finish();
  return image;
}

ReportMachine read_machine(const Json& value, const std::string& document) {
  JsonReader reader(value, document, "machine");
  ReportMachine machine;
  machine.kernel = reader.string_or("kernel", {});
  machine.architecture = reader.string_or("architecture", {});
  machine.cpu = reader.string_or("cpu", {});
  machine.cores = static_cast<unsigned>(reader.unsigned_integer("cores"));
  machine.memory = reader.unsigned_integer("memoryBytes");
  machine.runtime = reader.string_or("runtime", {});
  machine.gpus = reader.string_list("gpus");
  machine.driver = reader.string_or("driver", {});
  reader.finish();
  return machine;
}

void read_manifest(const Json* value, Report& report, const std::string& document) {
  if (value == nullptr || value->is_null()) return;
  JsonReader reader(*value, document, "manifest");
  report.manifest_name = reader.string("name");
  report.manifest_checksum = reader.string("checksum");
  reader.finish();
}

std::optional<ReportVerdict> read_verdict(const Json* value, const std::string& document) {
  if (value == nullptr || value->is_null()) return std::nullopt;
  JsonReader reader(*value, document, "verdict");
  ReportVerdict verdict;
  verdict.allowed = reader.boolean("allowed");
  verdict.exit_code = static_cast<int>(reader.unsigned_integer("exitCode"));
  verdict.policy = reader.string("policy");
  verdict.reasons = reader.string_list("reasons");
  reader.finish();
  return verdict;
}

void read_tool(const Json& value, Report& report, const std::string& document) {
  JsonReader reader(value, document, "tool");
  reader.string("name");
  report.tool_version = reader.string("version");
  reader.finish();
}

void require_known_version(JsonReader& reader) {
  const std::uint64_t version = reader.unsigned_integer("schemaVersion");
  if (version != kReportVersion) {
    reader.fail("schemaVersion", "report version " + std::to_string(version) +
                                     " is unknown; this imgcheck knows version " +
                                     std::to_string(kReportVersion));
  }
}

void read_phases(const Json& phases, Report& report, JsonReader& reader) {
  for (const auto& [name, seconds] : phases.items()) {
    if (!seconds.is_number()) reader.fail("phases." + name, "expected a number of seconds");
    report.phases[name] = seconds.get<double>();
  }
}

void read_facts(const Json& facts, Report& report, JsonReader& reader) {
  for (const auto& [name, value] : facts.items()) {
    if (!value.is_string()) reader.fail("facts." + name, "expected a string");
    report.facts[name] = value.get<std::string>();
  }
}

}  // namespace

std::map<std::string, std::uint64_t> counts_of(const std::vector<CheckResult>& checks) {
  std::map<std::string, std::uint64_t> counts;
  for (const Status status : {Status::pass, Status::fail, Status::warn, Status::skipped,
                              Status::blocked, Status::waived}) {
    counts[std::string(to_string(status))] = 0;
  }
  for (const CheckResult& check : checks) ++counts[std::string(to_string(check.status))];
  return counts;
}

Json to_json(const Report& dirty) {
  const Report report = cleaned(dirty);
  Json checks = Json::array(), phases = Json::object();
  for (const CheckResult& check : report.checks) checks.push_back(check_json(check));
  for (const auto& [name, seconds] : report.phases) phases[name] = rounded(seconds);
  return {{"schemaVersion", kReportVersion},
          {"tool", {{"name", "imgcheck"}, {"version", report.tool_version}}},
          {"started", report.started},
          {"seconds", rounded(report.seconds)},
          {"image", image_json(report.image)},
          {"manifest", manifest_json(report)},
          {"machine", machine_json(report.machine)},
          {"tiers", report.tiers},
          {"phases", std::move(phases)},
          {"facts", report.facts},
          {"notes", report.notes},
          {"counts", counts_of(report.checks)},
          {"verdict", verdict_json(report)},
          {"checks", std::move(checks)}};
}

Report parse_report(std::string_view text, const std::string& document) {
  const Json value = parse_json(text, document);
  JsonReader reader(value, document, {});
  require_known_version(reader);
  Report report;
  read_tool(reader.object("tool"), report, document);
  report.started = reader.string("started");
  report.seconds = seconds_of(reader, "seconds");
  report.image = read_image(reader.object("image"), document);
  read_manifest(reader.find("manifest"), report, document);
  report.machine = read_machine(reader.object("machine"), document);
  report.tiers = reader.string_list("tiers");
  read_phases(reader.object("phases"), report, reader);
  read_facts(reader.object("facts"), report, reader);
  report.notes = reader.string_list("notes");
  report.verdict = read_verdict(reader.find("verdict"), document);
  std::size_t index = 0;
  for (const Json& check : reader.array("checks")) {
    report.checks.push_back(read_check(check, document, "checks[" + std::to_string(index++) + "]"));
  }
  reader.object("counts");  // follows from the checks
  reader.finish();
  return report;
}

}  // namespace img
