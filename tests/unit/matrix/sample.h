// SPDX-License-Identifier: Apache-2.0
// Reports for tests of the matrix.
#pragma once

#include "validators/matrix/matrix.h"

#include <algorithm>
#include <string>
#include <vector>

namespace img {

inline CheckResult passing(std::string id, Tier tier = Tier::container) {
  CheckResult check{.id = std::move(id), .tier = tier, .status = Status::pass};
  check.findings = {{.status = Status::pass, .message = "seen"}};
  return check;
}
inline CheckResult failing(std::string id, Tier tier = Tier::container) {
  return {.id = std::move(id), .tier = tier, .status = Status::fail, .reason = "broken"};
}

/// torch 2.8.0+cu128 as its wheel is, started in a container.
inline Report sample_image(char digit = '1') {
  Report report;
  report.tool_version = "0.1.0";
  report.started = "2026-11-25T00:10:41Z";
  report.image.name = "pytorch-cuda:2.8.0";
  report.image.manifest_digest = "sha256:" + std::string(64, digit);
  report.image.config_digest = "sha256:" + std::string(64, 'c');
  report.machine.cpu = "Example CPU";
  report.tiers = {"static", "container"};
  report.facts = {{"torch", "2.8.0+cu128"},
                  {"cuda", "12.8"},
                  {"cudnn", "9.10.2.21"},
                  {"platform", "linux/amd64"},
                  {"gpu_code", "sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"}};
  report.checks = {passing("ELF-CLOSURE", Tier::image), passing("LOAD-TORCH")};
  return report;
}

inline Matrix matrix_of(std::vector<Report> reports, const MatrixOptions& options = {}) {
  std::vector<MatrixReport> named;
  for (Report& report : reports) {
    named.push_back(
        {.file = "r" + std::to_string(named.size() + 1) + ".json", .report = std::move(report)});
  }
  return make_matrix(std::move(named), {}, builtin_compatibility(), builtin_gpus(), options);
}

inline const GpuCell& cell_of(const Matrix& matrix, const std::string& gpu,
                              const std::string& branch, std::size_t image = 0) {
  const auto row = std::find_if(matrix.rows.begin(), matrix.rows.end(), [&](const GpuRow& one) {
    return one.image == image && one.gpu == gpu;
  });
  const auto at = std::find_if(matrix.branches.begin(), matrix.branches.end(),
                               [&](const DriverBranch& one) { return one.name == branch; });
  return row->cells.at(static_cast<std::size_t>(at - matrix.branches.begin()));
}

/// "works (derived) DRIVER-FLOOR"
inline std::string said(const GpuCell& cell) {
  return std::string(to_string(cell.works)) + " (" + std::string(to_string(cell.basis)) + ")" +
         (cell.reasons.empty() ? "" : " " + cell.reasons.front().rule);
}

}  // namespace img
