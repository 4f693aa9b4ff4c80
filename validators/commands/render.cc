// SPDX-License-Identifier: Apache-2.0
// imgcheck render: a report that was written as JSON, in another form.

#include "builder/base/file.h"
#include "validators/commands/report_output.h"

#include <memory>

namespace img {
namespace {

struct RenderFlags {
  std::string report;
  OutputFlags output;
};

ExitCode run_render(Console& console, const RenderFlags& flags) {
  output_format(flags.output, console);
  const Report report = parse_report(read_file(flags.report), flags.report);
  write_report(console, report, flags.output);
  return ExitCode::ok;
}

}  // namespace

void add_render_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<RenderFlags>();
  CLI::App* command = app.add_subcommand("render", "Write a JSON report in another form");
  command->add_option("REPORT", flags->report, "Report of 'imgcheck check --format json'")
      ->required();
  add_output_flags(*command, flags->output);
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_render(console, *flags); };
  });
}

}  // namespace img
