// SPDX-License-Identifier: Apache-2.0
// imgbuild: the table of verbs; the only place that prints errors and picks exit codes.

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"
#include "builder/commands/commands.h"
#include "builder/commands/program.h"
#include "builder/commands/usage.h"

#include <algorithm>
#include <string>

#include <sys/stat.h>

namespace img {
namespace {

constexpr const char* kExitCodes =
    "Exit status: 0 done, 1 two images differ, 2 usage or manifest or lock,\n"
    "3 could not be done (network, disk, missing program), 4 bytes are not what\n"
    "their digest says, 70 a bug, 130/143 interrupted.";

constexpr void (*kCommands[])(CLI::App&, Action&) = {
    add_lock_command,   add_fetch_command,   add_build_command, add_show_command,
    add_diff_command,   add_schema_command,  add_cache_command, add_facts_command,
    add_family_command, add_version_command,
};

void add_global_flags(CLI::App& app, GlobalFlags& flags) {
  app.add_flag("--json", flags.json, "Answer as JSON on standard output");
  app.add_option("--progress", flags.progress, "auto, tty, plain, json or quiet")
      ->envname("IMGBUILD_PROGRESS");
  app.add_flag("-q,--quiet", flags.quiet, "No progress, no notes");
  app.add_flag("-v,--verbose", flags.verbose, "More notes");
  app.add_option("--cache-dir", flags.cache_dir, "Where the store is");
  app.add_option("--source", flags.sources, "NAME=URL of a mirror, or folder=DIR");
  app.add_flag("--offline", flags.offline, "Use nothing but the store and local folders");
  app.add_option("--layers", flags.recipe_folders, "More folders with recipes");
}

int usage_failure(CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help
  print_error(usage_error(app, error));
  return static_cast<int>(ExitCode::usage);
}

/// The parser only says that a verb is missing; this says which one was meant.
void require_known_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(verb->get_name());
  }
  if (std::find(verbs.begin(), verbs.end(), argv[1]) != verbs.end()) return;
  const auto near = did_you_mean(argv[1], verbs);
  throw UsageError(ErrorText{
      .message = "there is no command '" + std::string(argv[1]) + "'",
      .hint = near ? "did you mean '" + *near + "'?" : std::string("see 'imgbuild --help'")});
}

int run(int argc, char** argv) {
  GlobalFlags flags;
  Action chosen;
  CLI::App app("Builds reproducible OCI images of PyTorch and CUDA from a manifest.", "imgbuild");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kExitCodes);
  app.set_help_all_flag("--help-all", "Help of all commands");
  add_global_flags(app, flags);
  for (const auto add_command : kCommands) add_command(app, chosen);
  require_known_verb(app, argc, argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage_failure(app, error);
  }
  if (!parse_progress_mode(flags.progress)) {
    throw UsageError(ErrorText{.message = "'" + flags.progress + "' is no progress mode",
                               .hint = "use auto, tty, plain, json or quiet"});
  }
  install_interrupt_handlers();
  ::umask(022);  // what we and the programs we run create does not depend on the caller
  Session session(flags);
  return static_cast<int>(chosen(session));
}

}  // namespace
}  // namespace img

int main(int argc, char** argv) {
  return img::run_program([&] { return img::run(argc, argv); });
}
