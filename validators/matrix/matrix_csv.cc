// SPDX-License-Identifier: Apache-2.0
// The form for spreadsheets: one line a cell, of both tables and of the claims.

#include "builder/base/text.h"
#include "validators/matrix/parts.h"

namespace img {
namespace {

/// RFC 4180. What a spreadsheet would take for a formula gets a quote before it.
std::string field(std::string text) {
  constexpr std::string_view kFormula = "=+-@\t";
  if (!text.empty() && kFormula.find(text.front()) != std::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string line(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& text : fields) out += (out.empty() ? "" : ",") + field(text);
  return out + "\r\n";
}

std::string check_lines(const Matrix& matrix, const MatrixImage& image) {
  std::string out;
  for (const std::string& id : matrix.checks) {
    const auto found = image.checks.find(id);
    const CheckCell cell = found == image.checks.end() ? CheckCell{} : found->second;
    const CheckSaid* const said = cell.said.empty() ? nullptr : &cell.said.front();
    const MatrixReport* const report = said == nullptr ? nullptr : &matrix.reports[said->report];
    out += line({"check", image.name, image.digest, id, "",
                 cell.contradictory ? "contradictory" : status_word(cell.status()),
                 std::string(to_string(cell.basis())), said == nullptr ? "" : said->line, "",
                 report == nullptr ? "" : report->report.started,
                 report == nullptr ? "" : machine_line(report->report),
                 report == nullptr ? "" : report->file});
  }
  return out;
}

std::string row_lines(const Matrix& matrix, const GpuRow& row) {
  std::string out;
  const MatrixImage& image = matrix.images[row.image];
  for (std::size_t at = 0; at < row.cells.size(); ++at) {
    const GpuCell& cell = row.cells[at];
    std::vector<std::string> reasons;
    for (const Reason& reason : cell.reasons) reasons.push_back(reason_line(reason));
    out += line({"gpu", image.name, image.digest, row.gpu, matrix.branches[at].name,
                 std::string(to_string(cell.works)), std::string(to_string(cell.basis)),
                 join(reasons, "; "), cell.from_driver, "", cell.tested, ""});
  }
  return out;
}

}  // namespace

std::string matrix_csv(const Matrix& matrix) {
  std::string out = line({"kind", "image", "digest", "subject", "branch", "state", "basis", "why",
                          "from_driver", "when", "where", "report"});
  for (const GpuRow& row : matrix.rows) out += row_lines(matrix, row);
  for (const MatrixImage& image : matrix.images) out += check_lines(matrix, image);
  for (const ClaimRow& row : matrix.claims) {
    out += line(
        {"claim", "", "", row.claim, "", row.verdict, row.evidence, row.truth, "", "", "", ""});
  }
  for (const MatrixProblem& problem : matrix.problems) {
    out += line({"problem", "", "", problem.subject, "", std::string(to_string(problem.kind)), "",
                 problem.message, "", "", "", ""});
  }
  return out;
}

}  // namespace img
