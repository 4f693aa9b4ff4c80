// SPDX-License-Identifier: Apache-2.0
// The JSON form of a matrix: every key is there, null when unknown.

#include "validators/judge/catalogue.h"
#include "validators/matrix/parts.h"

#include <utility>

namespace img {
namespace {

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json report_json(const MatrixReport& entry) {
  const Report& report = entry.report;
  return {{"file", entry.file},
          {"started", report.started},
          {"toolVersion", report.tool_version},
          {"tiers", report.tiers},
          {"machine", machine_line(report)},
          {"gpus", report.machine.gpus},
          {"driver", text_or_null(report.machine.driver)}};
}

Json check_json(const std::string& id, const CheckCell& cell) {
  Json said = Json::array();
  for (const CheckSaid& one : cell.said) {
    said.push_back({{"report", one.report},
                    {"status", to_string(one.status)},
                    {"simulated", one.simulated},
                    {"line", one.line}});
  }
  const auto status = cell.status();
  return {{"check", id},
          {"status", status ? Json(to_string(*status)) : Json()},
          {"basis", to_string(cell.basis())},
          {"contradictory", cell.contradictory},
          {"said", std::move(said)}};
}

Json image_json(const MatrixImage& image, const std::vector<std::string>& ids) {
  Json checks = Json::array();
  for (const std::string& id : ids) {
    const auto cell = image.checks.find(id);
    checks.push_back(check_json(id, cell == image.checks.end() ? CheckCell{} : cell->second));
  }
  return {{"anchor", image.anchor},
          {"name", image.name},
          {"digest", text_or_null(image.digest)},
          {"packedSize", image.packed_size},
          {"unpackedSize", image.unpacked_size},
          {"facts", image.facts},
          {"disputed", image.disputed},
          {"reports", image.reports},
          {"checks", std::move(checks)}};
}

Json cell_json(const GpuCell& cell, const DriverBranch& branch) {
  Json reasons = Json::array();
  for (const Reason& reason : cell.reasons) {
    reasons.push_back({{"rule", reason.rule},
                       {"fact", reason.fact},
                       {"source", reason.source},
                       {"evidence", text_or_null(reason.evidence)}});
  }
  return {{"branch", branch.name},
          {"works", to_string(cell.works)},
          {"basis", to_string(cell.basis)},
          {"fromDriver", text_or_null(cell.from_driver)},
          {"tested", text_or_null(cell.tested)},
          {"reasons", std::move(reasons)}};
}

Json row_json(const GpuRow& row, const Matrix& matrix) {
  Json cells = Json::array();
  for (std::size_t at = 0; at < row.cells.size(); ++at) {
    cells.push_back(cell_json(row.cells[at], matrix.branches[at]));
  }
  return {
      {"image", matrix.images[row.image].anchor}, {"gpu", row.gpu}, {"cells", std::move(cells)}};
}

Json claim_json(const ClaimRow& row) {
  return {
      {"claim", row.claim},       {"truth", row.truth}, {"verdict", text_or_null(row.verdict)},
      {"variants", row.variants}, {"seen", row.seen},   {"evidence", text_or_null(row.evidence)}};
}

}  // namespace

Json to_json(const Matrix& matrix) {
  Json reports = Json::array(), images = Json::array(), gpus = Json::array(),
       branches = Json::array(), rows = Json::array(), claims = Json::array(),
       problems = Json::array();
  for (const MatrixReport& report : matrix.reports) reports.push_back(report_json(report));
  for (const MatrixImage& image : matrix.images) {
    images.push_back(image_json(image, matrix.checks));
  }
  for (const GpuModel& gpu : matrix.gpus) {
    gpus.push_back({{"name", gpu.name},
                    {"compute", to_string(gpu.compute)},
                    {"architecture", gpu.architecture}});
  }
  for (const DriverBranch& branch : matrix.branches) {
    branches.push_back({{"name", branch.name}, {"kind", text_or_null(branch.kind)}});
  }
  for (const GpuRow& row : matrix.rows) rows.push_back(row_json(row, matrix));
  for (const ClaimRow& row : matrix.claims) claims.push_back(claim_json(row));
  for (const MatrixProblem& problem : matrix.problems) {
    problems.push_back({{"kind", to_string(problem.kind)},
                        {"subject", problem.subject},
                        {"message", problem.message}});
  }
  return {{"schemaVersion", kMatrixVersion},
          {"tool", {{"name", "imgcheck"}, {"version", matrix.tool_version}}},
          {"newestReport", text_or_null(matrix.newest)},
          {"reports", std::move(reports)},
          {"images", std::move(images)},
          {"gpus", std::move(gpus)},
          {"branches", std::move(branches)},
          {"rows", std::move(rows)},
          {"claims", std::move(claims)},
          {"problems", std::move(problems)}};
}

}  // namespace img
