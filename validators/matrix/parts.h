// SPDX-License-Identifier: Apache-2.0
// The parts that a matrix is made of, each a pure function, and the forms it is written in.
#pragma once

#include "validators/matrix/matrix.h"

#include <string>
#include <string_view>
#include <vector>

namespace img {

/// Groups reports by the bytes they are about. Reports without a digest are each an image of their
/// own. Adds what contradicts itself to `problems`.
std::vector<MatrixImage> collect_images(const std::vector<MatrixReport>& reports,
                                        std::vector<MatrixProblem>& problems);

/// What rules say about an image on a GPU under a driver branch.
GpuCell derive_cell(const MatrixImage& image, const GpuModel& gpu, const DriverBranch& branch,
                    const Compatibility& table, const GpuTable& gpus);

/// Puts the results of GPU tiers over what was derived, where a report has them for such a GPU and
/// driver.
void apply_tested(const std::vector<MatrixReport>& reports, const MatrixImage& image,
                  const GpuModel& gpu, const DriverBranch& branch,
                  const std::vector<GpuModel>& models, GpuCell& cell);
/// The model that a driver calls "NVIDIA A100-SXM4-80GB"; nullptr: none of `models`.
const GpuModel* model_of(std::string_view device, const std::vector<GpuModel>& models);

std::vector<ClaimRow> judge_claims(const std::vector<MatrixImage>& images,
                                   const Compatibility& table);

// What the forms share.
std::string_view symbol_of(Works works);
std::string_view symbol_of(std::optional<Status> status);
std::string status_word(std::optional<Status> status);  ///< "not run" for nullopt
std::string short_digest(const MatrixImage& image);     ///< "95fa5e47672b", or "no digest"
/// "DRIVER-FLOOR: … (compatibility table, evidence A)"
std::string reason_line(const Reason& reason);
/// "12 images, 1,672 cells: 800 work, …"
std::string summary_line(const Matrix& matrix);
std::string machine_line(const Report& report);
/// "yes (tested)", "limited (derived)"
std::string cell_words(const GpuCell& cell);

std::string matrix_markdown(const Matrix& matrix);
std::string matrix_html(const Matrix& matrix);
std::string matrix_csv(const Matrix& matrix);

}  // namespace img
