// SPDX-License-Identifier: Apache-2.0
// The table of forms of a matrix.

#include "validators/matrix/parts.h"

#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<MatrixFormat, std::string_view>, 4> kFormats{{
    {MatrixFormat::markdown, "markdown"},
    {MatrixFormat::html, "html"},
    {MatrixFormat::csv, "csv"},
    {MatrixFormat::json, "json"},
}};

}  // namespace

std::optional<MatrixFormat> parse_matrix_format(std::string_view text) {
  for (const auto& [format, name] : kFormats) {
    if (name == text) return format;
  }
  return std::nullopt;
}

std::vector<std::string> matrix_format_names() {
  std::vector<std::string> names;
  for (const auto& [format, name] : kFormats) names.emplace_back(name);
  return names;
}

std::string render(const Matrix& matrix, MatrixFormat format) {
  switch (format) {
    case MatrixFormat::html:
      return matrix_html(matrix);
    case MatrixFormat::csv:
      return matrix_csv(matrix);
    case MatrixFormat::json:
      return pretty_json(to_json(matrix));
    default:
      return matrix_markdown(matrix);
  }
}

}  // namespace img
