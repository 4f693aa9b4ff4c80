// SPDX-License-Identifier: Apache-2.0
// imgbuild lock: resolve a manifest into its lock, or say whether the lock still fits.

#include "builder/commands/bundle.h"
#include "builder/commands/commands.h"
#include "builder/resolve/resolve.h"

#include <ctime>
#include <memory>
#include <set>

namespace img {
namespace {

struct LockFlags {
  std::string manifest, output;
  std::vector<std::string> update;
  bool check = false, allow_index_change = false;
};

ExitCode check_lock(Session& session, const BuildManifest& manifest, const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw ManifestError(ErrorText{.message = "there is no lock '" + path.string() + "'",
                                  .hint = "run 'imgbuild lock " + manifest.file + "'"});
  }
  const LockFile lock = parse_lock(read_file(path), path.string());
  const auto reasons = staleness(lock, manifest);
  if (session.json()) {
    session.print_json({{"lock", path.string()}, {"fresh", reasons.empty()}, {"reasons", reasons}});
    return reasons.empty() ? ExitCode::ok : ExitCode::usage;
  }
  require_fresh(lock, manifest, path);
  session.print("'" + path.string() + "' fits '" + manifest.file + "'");
  return ExitCode::ok;
}

/// Names that differ between two locks, for the summary: "torch 2.7.1 -> 2.8.0".
std::vector<std::string> changes(const LockFile* previous, const LockFile& lock) {
  std::map<std::string, std::pair<std::string, std::string>> versions;
  if (previous != nullptr) {
    for (const LockedWheel& w : previous->wheels) versions["wheel " + w.name].first = w.version;
    for (const LockedDeb& d : previous->debs) versions["deb " + d.package].first = d.version;
  }
  for (const LockedWheel& w : lock.wheels) versions["wheel " + w.name].second = w.version;
  for (const LockedDeb& d : lock.debs) versions["deb " + d.package].second = d.version;
  std::vector<std::string> lines;
  for (const auto& [name, pair] : versions) {
    if (pair.first == pair.second) continue;
    lines.push_back(name + " " + (pair.first.empty() ? "(new)" : pair.first) + " -> " +
                    (pair.second.empty() ? "(gone)" : pair.second));
  }
  return lines;
}

ExitCode run_lock(Session& session, const LockFlags& flags) {
  const BuildManifest manifest = session.load(flags.manifest);
  const fs::path path =
      flags.output.empty() ? lock_path_of(flags.manifest) : fs::path(flags.output);
  if (flags.check) return check_lock(session, manifest, path);

  std::optional<LockFile> previous;
  std::error_code error;
  if (fs::exists(path, error)) previous = parse_lock(read_file(path), path.string());
  if (!flags.update.empty() && !previous) {
    throw UsageError(
        ErrorText{.message = "--update needs a lock, but there is no '" + path.string() + "'",
                  .hint = "run 'imgbuild lock " + flags.manifest + "'"});
  }
  ResolveOptions options{.update = {flags.update.begin(), flags.update.end()},
                         .previous = previous ? &*previous : nullptr,
                         .allow_index_change = flags.allow_index_change,
                         .now = static_cast<std::int64_t>(std::time(nullptr))};
  const std::optional<Digest> bundle = wanted_bundle(manifest);
  LockFile lock =
      resolve(manifest, options, session.sources(), session.store(), session.progress());
  lock.bundle = bundle;
  write_file(path, format_lock(lock));
  const auto changed = changes(previous ? &*previous : nullptr, lock);
  if (session.json()) {
    session.print_json({{"lock", path.string()},
                        {"wheels", lock.wheels.size()},
                        {"debs", lock.debs.size()},
                        {"verified", lock.verified},
                        {"changes", changed}});
    return ExitCode::ok;
  }
  session.print("locked " + std::to_string(lock.wheels.size()) + " wheels and " +
                std::to_string(lock.debs.size()) + " Debian packages in '" + path.string() + "'");
  for (const auto& [promise, truth] : lock.verified) session.print("  " + promise + " = " + truth);
  if (previous) {
    for (const std::string& line : changed) session.print("  " + line);
    if (changed.empty()) session.print("  nothing changed");
  }
  return ExitCode::ok;
}

}  // namespace

void add_lock_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<LockFlags>();
  CLI::App* command = app.add_subcommand("lock", "Resolve a manifest and lock every input by hash");
  command->add_option("MANIFEST", flags->manifest, "The image manifest")->required();
  command->add_option("-o,--output", flags->output,
                      "Write the lock here (default: beside the manifest)");
  command->add_flag("--check", flags->check, "Only say whether the lock fits: exit 0 or 2");
  command->add_option("--update", flags->update, "Only this package may move; repeatable");
  command->add_flag("--allow-index-change", flags->allow_index_change,
                    "Accept that a wheel now comes from another index");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) { return run_lock(session, *flags); };
  });
}

}  // namespace img
