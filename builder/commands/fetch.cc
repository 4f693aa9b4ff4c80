// SPDX-License-Identifier: Apache-2.0
// imgbuild fetch: bring every locked file into the store, or into a folder that serves as a source.

#include "builder/fetch/fetch.h"

#include "builder/base/text.h"
#include "builder/commands/commands.h"

#include <memory>

namespace img {
namespace {

struct FetchFlags {
  std::string manifest, lock, export_folder;
  int jobs = 8;
};

ExitCode run_fetch(Session& session, const FetchFlags& flags) {
  const BuildManifest manifest = session.load(flags.manifest);
  const LockFile lock = load_or_make_lock(session, manifest, flags.lock, MissingLock::make);
  const auto wanted = wanted_files(lock);
  const FetchResult result = fetch_all(wanted, session.sources(), session.store(),
                                       session.progress(), {.jobs = std::max(1, flags.jobs)});
  if (!flags.export_folder.empty()) {
    export_files(wanted, session.store(), flags.export_folder, session.progress());
  }
  if (session.json()) {
    session.print_json(
        {{"files", result.files},
         {"fetchedFiles", result.fetched_files},
         {"fetchedBytes", result.fetched_bytes},
         {"store", session.store().root().string()},
         {"exportedTo", flags.export_folder.empty() ? Json() : Json(flags.export_folder)}});
    return ExitCode::ok;
  }
  session.print("all " + std::to_string(result.files) + " files are in the store; " +
                std::to_string(result.fetched_files) + " were fetched (" +
                human_size(result.fetched_bytes) + ")");
  if (!flags.export_folder.empty()) session.print("exported to '" + flags.export_folder + "'");
  return ExitCode::ok;
}

}  // namespace

void add_fetch_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<FetchFlags>();
  CLI::App* command = app.add_subcommand("fetch", "Bring every locked file into the store");
  command->add_option("MANIFEST", flags->manifest, "The image manifest")->required();
  command->add_option("--lock", flags->lock, "Use this lock");
  command->add_option("--export", flags->export_folder, "Also write all files into this folder");
  command->add_option("-j,--jobs", flags->jobs, "Downloads at once (default 8)");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) { return run_fetch(session, *flags); };
  });
}

}  // namespace img
