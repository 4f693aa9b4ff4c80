// SPDX-License-Identifier: Apache-2.0
// imgcheck matrix: many reports as one table of what works where, and how that is known.

#include "validators/matrix/matrix.h"

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/base/text.h"
#include "builder/commands/program.h"
#include "validators/commands/commands.h"

#include <array>
#include <memory>
#include <set>
#include <utility>

namespace img {
namespace {

struct MatrixFlags {
  std::vector<std::string> reports, gpus, branches;
  std::string format, file;
};

constexpr std::array<std::pair<std::string_view, MatrixFormat>, 4> kEndings{{
    {".html", MatrixFormat::html},
    {".md", MatrixFormat::markdown},
    {".csv", MatrixFormat::csv},
    {".json", MatrixFormat::json},
}};

MatrixFormat format_of(const MatrixFlags& flags, const Console& console) {
  if (!flags.format.empty()) {
    if (const auto format = parse_matrix_format(flags.format)) return *format;
    const auto names = matrix_format_names();
    const auto near = did_you_mean(flags.format, names);
    throw UsageError(
        ErrorText{.message = "'" + flags.format + "' is no form of a matrix",
                  .hint = near ? "did you mean '" + *near + "'?" : "use " + join(names, ", ")});
  }
  if (console.json()) return MatrixFormat::json;
  if (flags.file.empty()) return MatrixFormat::markdown;
  for (const auto& [ending, format] : kEndings) {
    if (flags.file.ends_with(ending)) return format;
  }
  throw UsageError(ErrorText{.message = "the name '" + flags.file + "' does not say which form",
                             .hint = "add --format"});
}

/// File names without their folders, which say nothing to a reader elsewhere; with them where two
/// files have one name.
std::vector<std::string> names_of(const std::vector<std::string>& files) {
  std::vector<std::string> names;
  for (const std::string& file : files) names.push_back(fs::path(file).filename().string());
  const std::set<std::string> distinct(names.begin(), names.end());
  const std::set<std::string> given(files.begin(), files.end());
  return distinct.size() == given.size() ? names : files;
}

/// What cannot be read is said at once and left out: one old report is no reason to have no matrix.
void read_reports(const MatrixFlags& flags, std::vector<MatrixReport>& reports,
                  std::vector<MatrixProblem>& problems) {
  const std::vector<std::string> names = names_of(flags.reports);
  for (std::size_t at = 0; at < names.size(); ++at) {
    const std::string& file = flags.reports[at];
    try {
      reports.push_back({.file = names[at], .report = parse_report(read_file(file), file)});
    } catch (const InterruptedError&) {
      throw;
    } catch (const Error& error) {
      print_error(error);
      problems.push_back(
          {.kind = MatrixProblem::Kind::unreadable, .subject = names[at], .message = error.what()});
    }
  }
}

void tell_contradictions(const Matrix& matrix) {
  for (const MatrixProblem& problem : matrix.problems) {
    if (problem.kind == MatrixProblem::Kind::unreadable) continue;
    const std::string about = problem.kind == MatrixProblem::Kind::contradiction
                                  ? "image '" + problem.subject + "': "
                                  : "";
    print_error(InputError(about + problem.message));
  }
}

ExitCode run_matrix(Console& console, const MatrixFlags& flags) {
  const MatrixFormat format = format_of(flags, console);
  std::vector<MatrixReport> reports;
  std::vector<MatrixProblem> problems;
  read_reports(flags, reports, problems);
  if (reports.empty()) {
    throw InputError(
        ErrorText{.message = "none of the reports can be read, so there is no matrix"});
  }
  const Matrix matrix = make_matrix(
      std::move(reports), std::move(problems), builtin_compatibility(), builtin_gpus(),
      {.gpus = flags.gpus, .branches = flags.branches, .tool_version = IMGCHECK_VERSION});
  tell_contradictions(matrix);
  const std::string text = render(matrix, format);
  if (flags.file.empty()) {
    console.write(text);
  } else {
    write_file(flags.file, text);
  }
  if (matrix.has(MatrixProblem::Kind::unreadable)) return ExitCode::usage;
  if (matrix.has(MatrixProblem::Kind::contradiction)) return ExitCode::difference;
  // A table of nothing would look like good news.
  return matrix.checks.empty() ? ExitCode::unavailable : ExitCode::ok;
}

}  // namespace

void add_matrix_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<MatrixFlags>();
  CLI::App* command = app.add_subcommand("matrix", "Make one table of many reports");
  command->add_option("REPORT", flags->reports, "Reports of 'imgcheck check --format json'")
      ->required();
  command->add_option("--gpu", flags->gpus, "Only this GPU (may be repeated)");
  command->add_option("--driver", flags->branches,
                      "Only this driver branch, such as R580\n(may be repeated)");
  command->add_option("--format", flags->format,
                      "markdown, html, csv or json; default: by the name\nof FILE, else markdown");
  command->add_option("-o,--output", flags->file, "File that gets the matrix");
  command->footer(
      "Exit status: 0 done, 1 reports of the same image contradict each other,\n"
      "2 usage, or a report cannot be read (the matrix is written from the others),\n"
      "3 no report holds any check.");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_matrix(console, *flags); };
  });
}

}  // namespace img
