// SPDX-License-Identifier: Apache-2.0
// Symbols and short texts that all forms of a matrix share.

#include "builder/base/text.h"
#include "validators/matrix/parts.h"

#include <array>

namespace img {

std::string_view symbol_of(Works works) {
  switch (works) {
    case Works::yes:
      return "✓";
    case Works::limited:
      return "◐";
    case Works::no:
      return "✕";
    default:
      return "?";
  }
}

std::string_view symbol_of(std::optional<Status> status) {
  if (!status) return "·";
  switch (*status) {
    case Status::fail:
      return "✕";
    case Status::blocked:
      return "⊘";
    case Status::warn:
      return "!";
    case Status::waived:
      return "≈";
    case Status::skipped:
      return "–";
    default:
      return "✓";
  }
}

std::string status_word(std::optional<Status> status) {
  return status ? std::string(to_string(*status)) : "not run";
}

std::string short_digest(const MatrixImage& image) {
  constexpr std::size_t kShown = 12;
  const std::size_t colon = image.digest.find(':');
  if (colon == std::string::npos) return image.digest.empty() ? "no digest" : image.digest;
  return image.digest.substr(colon + 1, kShown);
}

std::string reason_line(const Reason& reason) {
  return reason.rule + ": " + reason.fact + " (" + reason.source +
         (reason.evidence.empty() ? "" : ", evidence " + reason.evidence) + ")";
}

std::string summary_line(const Matrix& matrix) {
  std::array<std::uint64_t, 4> works{}, basis{};
  std::uint64_t cells = 0;
  for (const GpuRow& row : matrix.rows) {
    for (const GpuCell& cell : row.cells) {
      ++cells;
      ++works[static_cast<std::size_t>(cell.works)];
      ++basis[static_cast<std::size_t>(cell.basis)];
    }
  }
  const auto count = [](const auto& counts, auto value) {
    return with_commas(counts[static_cast<std::size_t>(value)]);
  };
  const std::size_t images = matrix.images.size();
  return std::to_string(images) + (images == 1 ? " image" : " images") + " × " +
         std::to_string(matrix.gpus.size()) + " GPUs × " + std::to_string(matrix.branches.size()) +
         " driver branches, " + with_commas(cells) + " cells: " + count(works, Works::yes) +
         " work, " + count(works, Works::limited) + " limited, " + count(works, Works::no) +
         " do not, " + count(works, Works::unknown) + " unknown; " + count(basis, Basis::tested) +
         " tested, " + count(basis, Basis::derived) + " derived, " + count(basis, Basis::claimed) +
         " claimed";
}

std::string machine_line(const Report& report) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  };
  add(report.machine.cpu);
  add(report.machine.kernel);
  add(report.machine.runtime);
  for (const std::string& gpu : report.machine.gpus) add(gpu);
  if (!report.machine.driver.empty()) add("driver " + report.machine.driver);
  return text.empty() ? "unknown machine" : text;
}

std::string cell_words(const GpuCell& cell) {
  std::string words(to_string(cell.works));
  if (cell.basis != Basis::none) words += " (" + std::string(to_string(cell.basis)) + ")";
  return words;
}

}  // namespace img
