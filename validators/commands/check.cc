// SPDX-License-Identifier: Apache-2.0
// imgcheck check: holds an image against its manifest and the rules, and reports.

#include "validators/commands/check_flags.h"
#include "validators/gate/policy.h"

#include <memory>

namespace img {
namespace {

ExitCode run_check(Console& console, const CheckFlags& flags) {
  output_format(flags.output, console);
  const CheckRequest request = request_of(flags, console);
  const Report report = run_checks(request, console.progress());
  tell(console, report, flags.output);
  return exit_code_of(report, required_tiers_of(request, report));
}

}  // namespace

void add_check_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* command = app.add_subcommand("check", "Check an image");
  add_check_flags(*command, *flags);
  command->add_option("--check", flags->request.ids, "Only these checks, with commas")
      ->delimiter(',');
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_check(console, *flags); };
  });
}

}  // namespace img
