// SPDX-License-Identifier: Apache-2.0
// Many reports as one table: image × check, image × GPU × driver branch, and claims beside truth.
#pragma once

#include "builder/base/json.h"
#include "builder/manifest/compatibility.h"
#include "validators/report/report.h"
#include "validators/sizing/gpus.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

inline constexpr int kMatrixVersion = 1;

/// How a cell is known. Never mixed up: a reader must see at once what somebody has tried.
enum class Basis {
  none,     ///< nothing is known
  claimed,  ///< a table or a manifest says so, or a fact that nobody here has read decides
  derived,  ///< follows by rules from what was read in this image's files
  tested,   ///< ran: a check's own result, or the checks of the GPU tiers on such a GPU and driver
};
std::string_view to_string(Basis basis);

enum class Works {
  unknown,
  no,
  limited,
  yes,
};
std::string_view to_string(Works works);  ///< "works", "limited", "does not", "unknown"

/// One step to a cell: a rule, the fact it was applied to, and where the fact comes from.
struct Reason {
  std::string rule;      ///< "DRIVER-FLOOR"; rules are in docs/matrix.md
  std::string fact;      ///< one sentence
  std::string source;    ///< "read in the image", "compatibility table", …
  std::string evidence;  ///< "A", "B", "C" of a table; empty: read or measured
};

/// One report as it was given.
struct MatrixReport {
  std::string file;
  Report report;
};

/// What one report says about one check of an image.
struct CheckSaid {
  std::size_t report = 0;  ///< index into Matrix::reports
  Status status = Status::pass;
  bool simulated = false;
  std::string line;  ///< the reason, or the first evidence
};
struct CheckCell {
  std::vector<CheckSaid> said;  ///< the one that counts first; empty: no report has the check
  bool contradictory = false;   ///< one passes and one fails on the same bytes
  /// Of what counts; nullopt: nobody ran it.
  std::optional<Status> status() const;
  Basis basis() const;
};

struct MatrixImage {
  std::string anchor;  ///< unique, of letters, digits and '-'
  std::string name, digest;
  std::uint64_t packed_size = 0, unpacked_size = 0;
  std::map<std::string, std::string> facts;
  std::vector<std::string> disputed;  ///< facts that reports of these bytes disagree about
  /// GPU model → the code of torch that it runs ("sm_75", "none"), as ARCH-LIST saw it in the
  /// files.
  std::map<std::string, std::string> code_for;
  std::vector<std::size_t> reports;         ///< indices, newest first
  std::map<std::string, CheckCell> checks;  ///< by id
};

struct GpuCell {
  Works works = Works::unknown;
  Basis basis = Basis::none;
  std::vector<Reason> reasons;  ///< what decides first
  std::string from_driver;      ///< lowest driver of the branch for which this holds; empty: all
  std::string tested;           ///< "2026-11-25 on NVIDIA H100 …, driver 580.95.05"; empty: no
};
struct GpuRow {
  std::size_t image = 0;
  std::string gpu;
  std::vector<GpuCell> cells;  ///< one for each of Matrix::branches
};

struct ClaimRow {
  std::string claim, truth, verdict;  ///< "wrong", "partly right", "right"; empty: no pairing
  std::vector<std::string> variants;  ///< CUDA variants that the table has, "12.8 (default)"
  std::vector<std::string> seen;      ///< images given here of that torch, with their CUDA
  std::string evidence;               ///< worst of the variants
};

/// What was wrong with the input; the rest of the matrix stands.
struct MatrixProblem {
  enum class Kind { unreadable, contradiction, duplicate } kind = Kind::unreadable;
  std::string subject;  ///< file or image
  std::string message;
};
std::string_view to_string(MatrixProblem::Kind kind);

struct Matrix {
  std::string tool_version;
  std::string newest;  ///< when the newest report was started; empty: no report
  std::vector<MatrixReport> reports;
  std::vector<MatrixImage> images;  ///< by name
  std::vector<std::string> checks;  ///< ids: the catalogue's order, then unknown ones
  std::vector<GpuModel> gpus;
  std::vector<DriverBranch> branches;
  std::vector<GpuRow> rows;  ///< images × gpus
  std::vector<ClaimRow> claims;
  std::vector<MatrixProblem> problems;

  bool has(MatrixProblem::Kind kind) const;
};

struct MatrixOptions {
  std::vector<std::string> gpus;      ///< models; empty: all
  std::vector<std::string> branches;  ///< names; empty: all
  std::string tool_version;
};

/// `problems`: of reports that could not be read.
Matrix make_matrix(std::vector<MatrixReport> reports, std::vector<MatrixProblem> problems,
                   const Compatibility& table, const GpuTable& gpus, const MatrixOptions& options);

enum class MatrixFormat { markdown, html, csv, json };
std::optional<MatrixFormat> parse_matrix_format(std::string_view text);
std::vector<std::string> matrix_format_names();
/// Everything from reports is untrusted and escaped for the form.
std::string render(const Matrix& matrix, MatrixFormat format);
Json to_json(const Matrix& matrix);
/// JSON Schema, draft 2020-12.
std::string matrix_json_schema();

}  // namespace img
