// SPDX-License-Identifier: Apache-2.0
// Where a report goes, and in which form.
#pragma once

#include "validators/commands/commands.h"
#include "validators/report/report.h"

#include <string>

namespace img {

struct OutputFlags {
  std::string format;  ///< empty: by the name of the file, else text
  std::string file;    ///< empty: standard output
};

void add_output_flags(CLI::App& command, OutputFlags& flags);
/// UsageError for a form that does not exist. Called before the work, so that a slip costs nothing.
ReportFormat output_format(const OutputFlags& flags, const Console& console);
/// To the file, whole or not at all, or to standard output.
void write_report(Console& console, const Report& report, const OutputFlags& flags);

}  // namespace img
