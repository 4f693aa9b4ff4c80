// SPDX-License-Identifier: Apache-2.0
// One report: which image, on which machine, by which tool, and what every check said.
#pragma once

#include "builder/base/json.h"
#include "validators/judge/finding.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

inline constexpr int kReportVersion = 1;

struct ReportImage {
  std::string reference;        ///< as the user named it; empty inside a container
  std::string manifest_digest;  ///< "sha256:…"; empty: unknown
  std::string config_digest;
  std::string name;  ///< from annotations or labels; empty: none
  std::uint64_t packed_size = 0, unpacked_size = 0;
  std::vector<std::string> layers;  ///< digests, bottom to top
};
struct ReportMachine {
  std::string kernel, architecture, cpu;
  unsigned cores = 0;
  std::uint64_t memory = 0;  ///< bytes
  std::string runtime;       ///< "runc 1.1.5"; empty: none was used
  std::vector<std::string> gpus;
  std::string driver;  ///< empty: none
};
/// What a gate decided.
struct ReportVerdict {
  bool allowed = false;
  int exit_code = 0;
  std::string policy;                ///< file, or "built-in"
  std::vector<std::string> reasons;  ///< why not, or what was let through, one line each
};
struct Report {
  std::string tool_version;
  std::string started;  ///< RFC 3339, UTC
  double seconds = 0;
  ReportImage image;
  std::string manifest_name, manifest_checksum;  ///< empty: no manifest was given
  ReportMachine machine;
  std::vector<std::string> tiers;            ///< that were asked for
  std::map<std::string, double> phases;      ///< "inspect", "unpack", … seconds
  std::map<std::string, std::string> facts;  ///< for the matrix: "torch" → "2.8.0+cu128", …
  std::vector<std::string> notes;            ///< what limits or weakens this run, one sentence each
  std::vector<CheckResult> checks;
  std::optional<ReportVerdict> verdict;  ///< nullopt: no gate was asked
};

/// Counts by status, every status present.
std::map<std::string, std::uint64_t> counts_of(const std::vector<CheckResult>& checks);

/// The source of all other forms: every field is there, null when unknown. Untrusted texts are made
/// valid UTF-8 without control characters, and cut at 4 KiB.
Json to_json(const Report& report);
/// InputError naming the member for anything that to_json() does not write.
Report parse_report(std::string_view text, const std::string& document);
/// JSON Schema, draft 2020-12.
std::string report_json_schema();

/// A report in one form. Everything in it is untrusted and escaped for the form.
enum class ReportFormat { json, text, markdown, html, junit, sarif, github };
std::optional<ReportFormat> parse_report_format(std::string_view text);
std::vector<std::string> report_format_names();
struct RenderOptions {
  bool color = false;  ///< text only
  int width = 100;     ///< columns, text only
};
/// What one file or summary of the receiving system may hold; less is written, and said so.
inline constexpr std::uint64_t kMarkdownLimit = 1ull << 20;  ///< bytes of a GitHub job summary
inline constexpr std::size_t kSarifLimit = 5000;             ///< results that GitHub shows
inline constexpr std::size_t kAnnotationLimit = 10;          ///< of a type, in one step

std::string render(const Report& report, ReportFormat format, const RenderOptions& options = {});

}  // namespace img
