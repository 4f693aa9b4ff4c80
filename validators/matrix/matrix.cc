// SPDX-License-Identifier: Apache-2.0
// Puts reports, rules and tables together.

#include "validators/matrix/matrix.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "validators/judge/catalogue.h"
#include "validators/matrix/parts.h"
#include "validators/report/clean.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

std::vector<GpuModel> chosen_gpus(const Compatibility& table, const MatrixOptions& options) {
  if (options.gpus.empty()) return table.gpus;
  std::vector<GpuModel> chosen;
  for (const std::string& name : options.gpus) {
    const GpuModel* const gpu = table.find_gpu(name);
    if (gpu == nullptr) {
      const auto names = table.gpu_names();
      const auto near = did_you_mean(name, names);
      throw UsageError(ErrorText{
          .message = "the table has no GPU '" + name + "'",
          .hint = near ? "did you mean '" + *near + "'?" : "use one of " + join(names, ", ")});
    }
    chosen.push_back(*gpu);
  }
  return chosen;
}

std::vector<DriverBranch> chosen_branches(const GpuTable& gpus, const MatrixOptions& options) {
  if (options.branches.empty()) return gpus.branches;
  std::vector<DriverBranch> chosen;
  for (const std::string& name : options.branches) {
    const DriverBranch* const branch = gpus.find_branch(name);
    if (branch == nullptr) {
      std::vector<std::string> names;
      for (const DriverBranch& known : gpus.branches) names.push_back(known.name);
      throw UsageError(ErrorText{.message = "the table has no driver branch '" + name + "'",
                                 .hint = "use one of " + join(names, ", ")});
    }
    chosen.push_back(*branch);
  }
  return chosen;
}

/// Ids that a report has, in the catalogue's order; those that this program does not know last.
std::vector<std::string> checks_of(const std::vector<MatrixImage>& images) {
  std::set<std::string> left;
  for (const MatrixImage& image : images) {
    for (const auto& [id, cell] : image.checks) left.insert(id);
  }
  std::vector<std::string> ids;
  for (const CheckInfo& info : catalogue()) {
    if (left.erase(std::string(info.id)) != 0) ids.emplace_back(info.id);
  }
  ids.insert(ids.end(), left.begin(), left.end());
  return ids;
}

/// The same report twice says nothing twice.
void drop_duplicates(Matrix& matrix) {
  std::map<std::string, std::string> seen;
  std::vector<MatrixReport> kept;
  for (MatrixReport& report : matrix.reports) {
    const auto [first, is_new] =
        seen.try_emplace(canonical_json(to_json(report.report)), report.file);
    if (is_new) {
      kept.push_back(std::move(report));
    } else {
      matrix.problems.push_back({.kind = MatrixProblem::Kind::duplicate,
                                 .subject = report.file,
                                 .message = "'" + report.file + "' is the same report as '" +
                                            first->second + "'; it counts once"});
    }
  }
  matrix.reports = std::move(kept);
}

}  // namespace

std::string_view to_string(Basis basis) {
  switch (basis) {
    case Basis::tested:
      return "tested";
    case Basis::derived:
      return "derived";
    case Basis::claimed:
      return "claimed";
    default:
      return "none";
  }
}

std::string_view to_string(Works works) {
  switch (works) {
    case Works::yes:
      return "works";
    case Works::limited:
      return "limited";
    case Works::no:
      return "does not";
    default:
      return "unknown";
  }
}

std::string_view to_string(MatrixProblem::Kind kind) {
  switch (kind) {
    case MatrixProblem::Kind::unreadable:
      return "unreadable";
    case MatrixProblem::Kind::contradiction:
      return "contradiction";
    default:
      return "duplicate";
  }
}

bool Matrix::has(MatrixProblem::Kind kind) const {
  return std::any_of(problems.begin(), problems.end(),
                     [kind](const MatrixProblem& problem) { return problem.kind == kind; });
}

Matrix make_matrix(std::vector<MatrixReport> reports, std::vector<MatrixProblem> problems,
                   const Compatibility& table, const GpuTable& gpus, const MatrixOptions& options) {
  Matrix matrix{.tool_version = options.tool_version,
                .reports = std::move(reports),
                .problems = std::move(problems)};
  for (MatrixReport& report : matrix.reports) {
    report.file = clean_text(report.file);
    report.report = cleaned(report.report);
  }
  drop_duplicates(matrix);
  for (const MatrixReport& report : matrix.reports) {
    matrix.newest = std::max(matrix.newest, report.report.started);
  }
  matrix.gpus = chosen_gpus(table, options);
  matrix.branches = chosen_branches(gpus, options);
  matrix.images = collect_images(matrix.reports, matrix.problems);
  matrix.checks = checks_of(matrix.images);
  for (std::size_t index = 0; index < matrix.images.size(); ++index) {
    for (const GpuModel& gpu : matrix.gpus) {
      GpuRow row{.image = index, .gpu = gpu.name};
      for (const DriverBranch& branch : matrix.branches) {
        GpuCell cell = derive_cell(matrix.images[index], gpu, branch, table, gpus);
        apply_tested(matrix.reports, matrix.images[index], gpu, branch, table.gpus, cell);
        row.cells.push_back(std::move(cell));
      }
      matrix.rows.push_back(std::move(row));
    }
  }
  matrix.claims = judge_claims(matrix.images, table);
  return matrix;
}

}  // namespace img
