// SPDX-License-Identifier: Apache-2.0
// imgcheck: the table of verbs.

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/commands/program.h"
#include "builder/commands/usage.h"
#include "validators/commands/commands.h"

#include <string>

#include <sys/stat.h>

namespace img {
namespace {

constexpr const char* kExitCodes =
    "Exit status: 0 all required checks pass or are waived, 1 a check failed or the\n"
    "gate denies, 2 usage or manifest or lock or policy, 3 could not be done: a\n"
    "required check is blocked, nothing ran, no runtime, disk, 4 the image cannot be\n"
    "opened because its bytes are not what their digest says, 70 a bug, 130/143\n"
    "interrupted.";

constexpr void (*kCommands[])(CLI::App&, ConsoleAction&) = {
    add_check_command,   add_gate_command,   add_inspect_command, add_list_command,
    add_explain_command, add_render_command, add_matrix_command,  add_fit_command,
    add_cost_command,    add_schema_command, add_cache_command,   add_version_command,
};

void add_global_flags(CLI::App& app, ConsoleFlags& flags) {
  app.add_flag("--json", flags.json, "Answer as JSON on standard output");
  app.add_option("--progress", flags.progress, "auto, tty, plain, json or quiet")
      ->envname("IMGCHECK_PROGRESS");
  app.add_option("--color", flags.color, "auto, always or never");
  app.add_flag("-q,--quiet", flags.quiet, "No progress, no notes");
  app.add_option("--cache-dir", flags.cache_dir, "Where the store is");
}

void require_known_modes(const ConsoleFlags& flags) {
  if (!parse_progress_mode(flags.progress)) {
    throw UsageError(ErrorText{.message = "'" + flags.progress + "' is no progress mode",
                               .hint = "use auto, tty, plain, json or quiet"});
  }
  if (flags.color != "auto" && flags.color != "always" && flags.color != "never") {
    throw UsageError(ErrorText{.message = "'" + flags.color + "' is no colour mode",
                               .hint = "use auto, always or never"});
  }
}

int run(int argc, char** argv) {
  ConsoleFlags flags;
  ConsoleAction chosen;
  CLI::App app("Proves that an image is what its manifest promises, and gates its publication.",
               "imgcheck");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kExitCodes);
  app.set_help_all_flag("--help-all", "Help of all commands");
  add_global_flags(app, flags);
  for (const auto add_command : kCommands) add_command(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    throw usage_error(app, error);
  }
  require_known_modes(flags);
  install_interrupt_handlers();
  ::umask(022);  // what we and the programs we run create does not depend on the caller
  Console console(flags);
  return static_cast<int>(chosen(console));
}

}  // namespace
}  // namespace img

int main(int argc, char** argv) {
  return img::run_program([&] { return img::run(argc, argv); });
}
