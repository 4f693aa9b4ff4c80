// SPDX-License-Identifier: Apache-2.0
// The form for a repository or a CI summary: tables of symbols, and under each what decides.

#include "builder/base/text.h"
#include "validators/matrix/parts.h"
#include "validators/report/markup.h"

#include <map>

namespace img {
namespace {

std::string row_of(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) out += " " + cell + " |";
  return out + "\n";
}

std::string head_of(const std::vector<std::string>& cells) {
  std::string out = row_of(cells) + "|";
  for (std::size_t i = 0; i < cells.size(); ++i) out += " --- |";
  return out + "\n";
}

/// "✓", "✓ d", "✓ c": tested needs no letter.
std::string gpu_symbol(const GpuCell& cell) {
  std::string text(symbol_of(cell.works));
  if (cell.basis == Basis::derived) text += " d";
  if (cell.basis == Basis::claimed) text += " c";
  if (cell.basis == Basis::tested) text += " **t**";
  return text;
}

std::string problems(const Matrix& matrix) {
  if (matrix.problems.empty()) return {};
  std::string out = "## Problems with the reports\n\n";
  for (const MatrixProblem& problem : matrix.problems) {
    out += "- **" + std::string(to_string(problem.kind)) + "**: " + markdown_text(problem.message) +
           "\n";
  }
  return out + "\n";
}

std::string images(const Matrix& matrix) {
  std::string out = "## Images\n\n" + head_of({"image", "digest", "torch", "CUDA", "cuDNN", "NCCL",
                                               "packed", "unpacked", "newest report"});
  for (const MatrixImage& image : matrix.images) {
    const auto fact = [&image](const char* name) {
      const auto found = image.facts.find(name);
      return found == image.facts.end() ? std::string("–") : markdown_text(found->second);
    };
    const Report& newest = matrix.reports[image.reports.front()].report;
    out += row_of({markdown_text(image.name), markdown_code(short_digest(image)), fact("torch"),
                   fact("cuda"), fact("cudnn"), fact("nccl"), human_size(image.packed_size),
                   human_size(image.unpacked_size),
                   markdown_text(newest.started.substr(0, 10) + ", " + join(newest.tiers, " + "))});
  }
  return out + "\n";
}

/// Each reason once, with the GPUs and branches it decides for.
std::string deciding(const Matrix& matrix, std::size_t image) {
  std::map<std::string, std::map<std::string, std::vector<std::string>>> why;
  for (const GpuRow& row : matrix.rows) {
    if (row.image != image) continue;
    for (std::size_t at = 0; at < row.cells.size(); ++at) {
      const GpuCell& cell = row.cells[at];
      if (cell.works == Works::yes && cell.basis != Basis::tested) continue;
      if (cell.reasons.empty()) continue;
      why[std::string(symbol_of(cell.works)) + " " +
          markdown_text(reason_line(cell.reasons.front()))][row.gpu]
          .push_back(matrix.branches[at].name);
    }
  }
  std::string out;
  for (const auto& [reason, gpus] : why) {
    std::vector<std::string> parts;
    for (const auto& [gpu, branches] : gpus) {
      parts.push_back(gpu + (branches.size() == matrix.branches.size()
                                 ? ""
                                 : " on " + branches.front() +
                                       (branches.size() > 1 ? "–" + branches.back() : "")));
    }
    out += "- " + reason + ": " + markdown_text(join(parts, ", ")) + "\n";
  }
  return out.empty() ? out : out + "\n";
}

std::string gpu_tables(const Matrix& matrix) {
  std::string out =
      "## Image × GPU × driver branch\n\n✓ works, ◐ limited, ✕ does not, ? unknown; **t** tested "
      "there, d derived from what was read in the image, c claimed by a table only.\n\n";
  for (std::size_t index = 0; index < matrix.images.size(); ++index) {
    out += "### " + markdown_text(matrix.images[index].name) + "\n\n";
    std::vector<std::string> head{"GPU"};
    for (const DriverBranch& branch : matrix.branches) head.push_back(branch.name);
    out += head_of(head);
    for (const GpuRow& row : matrix.rows) {
      if (row.image != index) continue;
      std::vector<std::string> cells{markdown_text(row.gpu)};
      for (const GpuCell& cell : row.cells) cells.push_back(gpu_symbol(cell));
      out += row_of(cells);
    }
    out += "\n" + deciding(matrix, index);
  }
  return out;
}

std::string check_table(const Matrix& matrix) {
  std::string out = "## Image × check\n\n";
  std::vector<std::string> head{"check"};
  for (const MatrixImage& image : matrix.images) head.push_back(markdown_text(image.name));
  out += head_of(head);
  for (const std::string& id : matrix.checks) {
    std::vector<std::string> cells{markdown_text(id)};
    for (const MatrixImage& image : matrix.images) {
      const auto found = image.checks.find(id);
      const CheckCell cell = found == image.checks.end() ? CheckCell{} : found->second;
      std::string text = std::string(symbol_of(cell.status())) + " " + status_word(cell.status());
      if (cell.contradictory) text += " **(contradictory)**";
      if (cell.basis() == Basis::claimed) text += " (stand-in)";
      cells.push_back(text);
    }
    out += row_of(cells);
  }
  return out + "\n";
}

std::string claims(const Matrix& matrix) {
  std::string out = "## What is claimed, and what is so\n\n" +
                    head_of({"claim", "verdict", "truth", "seen in these images"});
  for (const ClaimRow& row : matrix.claims) {
    out += row_of({markdown_text(row.claim), row.verdict.empty() ? "–" : row.verdict,
                   markdown_text(row.truth),
                   row.seen.empty() ? "–" : markdown_text(join(row.seen, ", "))});
  }
  return out + "\n";
}

}  // namespace

std::string matrix_markdown(const Matrix& matrix) {
  return "# Compatibility matrix\n\n" + markdown_text(summary_line(matrix)) + ".\n\n" +
         problems(matrix) + images(matrix) + gpu_tables(matrix) + check_table(matrix) +
         claims(matrix) + "imgcheck " + markdown_text(matrix.tool_version) +
         (matrix.newest.empty() ? "" : ", newest report of " + markdown_text(matrix.newest)) + "\n";
}

}  // namespace img
