// SPDX-License-Identifier: Apache-2.0
// imgbuild: the table of verbs; the only place that prints errors and picks exit codes.

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/commands/commands.h"

#include <cstdio>
#include <exception>
#include <string>

#include <sys/stat.h>

namespace img {
namespace {

constexpr const char* kExitCodes =
    "Exit status: 0 done, 1 two images differ, 2 usage or manifest or lock, 3 could not be done\n"
    "(network, disk, missing program), 4 bytes are not what their digest says, 70 a bug,\n"
    "130/143 interrupted.";

constexpr void (*kCommands[])(CLI::App&, Action&) = {
    add_lock_command, add_fetch_command,  add_build_command, add_show_command,
    add_diff_command, add_schema_command, add_cache_command, add_version_command,
};

void add_global_flags(CLI::App& app, GlobalFlags& flags) {
  app.add_flag("--json", flags.json, "Answer as JSON on standard output");
  app.add_option("--progress", flags.progress, "auto, tty, plain, json or quiet")
      ->envname("IMGBUILD_PROGRESS");
  app.add_flag("-q,--quiet", flags.quiet, "No progress, no notes");
  app.add_flag("-v,--verbose", flags.verbose, "More notes");
  app.add_option("--cache-dir", flags.cache_dir, "Where the store is");
  app.add_option("--source", flags.sources,
                 "NAME=URL of an index or mirror, or folder=DIR; repeatable");
  app.add_flag("--offline", flags.offline, "Use nothing but the store and local folders");
  app.add_option("--layers", flags.recipe_folders,
                 "Folder with recipes, after 'layers/' near the manifest; repeatable");
}

void print_error(const Error& error) { std::fprintf(stderr, "%s\n", error.render().c_str()); }

int usage_failure(CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help
  print_error(UsageError(ErrorText{.message = error.what(), .hint = "see 'imgbuild --help'"}));
  return static_cast<int>(ExitCode::usage);
}

int run(int argc, char** argv) {
  GlobalFlags flags;
  Action chosen;
  CLI::App app(
      "Builds layered, reproducible OCI images of PyTorch and CUDA from a manifest and its lock.",
      "imgbuild");
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(kExitCodes);
  app.set_help_all_flag("--help-all", "Help of all commands");
  add_global_flags(app, flags);
  for (const auto add_command : kCommands) add_command(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return usage_failure(app, error);
  }
  install_interrupt_handlers();
  ::umask(022);  // what we and the programs we run create does not depend on the caller
  Session session(flags);
  return static_cast<int>(chosen(session));
}

}  // namespace
}  // namespace img

int main(int argc, char** argv) {
  try {
    return img::run(argc, argv);
  } catch (const img::Error& error) {
    img::print_error(error);
    return static_cast<int>(error.exit_code());
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "error: out of memory\n");
    return static_cast<int>(img::ExitCode::unavailable);
  } catch (const std::exception& error) {
    img::print_error(img::InternalError(std::string("unexpected: ") + error.what()));
    return static_cast<int>(img::ExitCode::internal);
  }
}
