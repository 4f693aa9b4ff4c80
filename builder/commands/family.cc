// SPDX-License-Identifier: Apache-2.0
// imgbuild family: writes, locks, builds and checks the images of a family, one after the other.

#include "builder/manifest/family.h"

#include "builder/base/hash.h"
#include "builder/base/process.h"
#include "builder/base/text.h"
#include "builder/commands/commands.h"
#include "builder/manifest/compatibility.h"

#include <chrono>
#include <memory>
#include <set>

#include <unistd.h>

namespace img {
namespace {

struct FamilyFlags {
  std::string family, action, output, only;
  bool remove_images = false, check = false;
};

/// One member on its way. `problem` empty: all went well.
struct Outcome {
  std::string tag;
  std::string problem;
  ExitCode code = ExitCode::ok;
  std::string did;  ///< "locked", "built", "fresh", …
  Json built = nullptr;
  double seconds = 0;
};

/// What a member stands on: file and tag of its manifest, or why there is none.
struct Member {
  std::string tag;
  fs::path manifest;
  fs::path lock() const { return lock_path_of(manifest.string()); }
};

std::map<std::string, std::string> own_environment() {
  std::map<std::string, std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      result[std::string(text.substr(0, equals))] = std::string(text.substr(equals + 1));
    }
  }
  return result;
}

fs::path own_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) throw UnavailableError("cannot find this program's own file in /proc");
  return program;
}

/// The first line of an error that a program printed, without "error: ".
std::string first_error(const std::string& text) {
  for (const std::string& line : split(text, '\n')) {
    if (line.starts_with("error: ")) return line.substr(7);
  }
  return {};
}

ExitCode code_of(int exit_code) {
  switch (exit_code) {
    case 1:
      return ExitCode::difference;
    case 2:
      return ExitCode::usage;
    case 4:
      return ExitCode::integrity;
    default:
      return ExitCode::unavailable;
  }
}

/// Runs the members' commands as programs of their own, so that one member's end is not the end of
/// the others, and memory is that of one build.
class Runner {
 public:
  explicit Runner(Session& session) : session_(session) {}

  ProcessResult imgbuild(std::vector<std::string> words) const {
    std::vector<std::string> argv = {own_program().string()};
    argv.insert(argv.end(), words.begin(), words.end());
    const GlobalFlags& global = session_.flags();
    argv.insert(argv.end(), {"--json", "--progress", "plain"});
    if (!global.cache_dir.empty()) argv.insert(argv.end(), {"--cache-dir", global.cache_dir});
    if (global.offline) argv.push_back("--offline");
    for (const std::string& source : global.sources) argv.insert(argv.end(), {"--source", source});
    for (const std::string& folder : global.recipe_folders) {
      argv.insert(argv.end(), {"--layers", folder});
    }
    return run(std::move(argv));
  }

  ProcessResult imgcheck(std::vector<std::string> words) const {
    const fs::path beside = own_program().parent_path() / "imgcheck";
    std::error_code error;
    const fs::path program = fs::exists(beside, error)
                                 ? beside
                                 : require_program("imgcheck", "it is built beside imgbuild");
    std::vector<std::string> argv = {program.string()};
    argv.insert(argv.end(), words.begin(), words.end());
    return run(std::move(argv));
  }

 private:
  ProcessResult run(std::vector<std::string> argv) const {
    return run_process({.argv = std::move(argv),
                        .env = own_environment(),
                        .cwd = fs::current_path(),
                        .timeout = std::chrono::hours(6),
                        .on_stderr_line = [this](std::string_view line) {
                          if (!line.starts_with("error: ")) session_.progress().log(line);
                        }});
  }

  Session& session_;
};

void fail(Outcome& outcome, const ProcessResult& result, const std::string& what) {
  const std::string error = first_error(result.stderr_text);
  outcome.problem =
      error.empty() ? what + " ends with exit code " + std::to_string(result.exit_code) : error;
  outcome.code = code_of(result.exit_code);
}

std::string digest_of_file(const fs::path& file) { return to_hex(sha256(read_file(file))); }

/// What was built already in this output folder, kept in family.json there.
class State {
 public:
  explicit State(fs::path file) : file_(std::move(file)) {
    std::error_code error;
    if (fs::exists(file_, error)) members_ = parse_json(read_file(file_), file_.string());
    if (!members_.is_object()) members_ = Json::object();
  }
  /// The answer of the build that this lock gave; nullptr: there was none.
  const Json* find(const std::string& tag, const std::string& lock_digest) const {
    const auto found = members_.find(tag);
    if (found == members_.end() || !found->is_object()) return nullptr;
    const auto lock = found->find("lock");
    const auto built = found->find("built");
    if (lock == found->end() || built == found->end() || *lock != lock_digest) return nullptr;
    return &*built;
  }
  void put(const std::string& tag, const std::string& lock_digest, const Json& built) {
    members_[tag] = {{"lock", lock_digest}, {"built", built}};
    write_file(file_, pretty_json(members_));
  }

 private:
  fs::path file_;
  Json members_ = Json::object();
};

void lock_member(const Runner& runner, const Member& member, Outcome& outcome) {
  std::error_code error;
  if (fs::exists(member.lock(), error)) {
    const ProcessResult fresh = runner.imgbuild({"lock", member.manifest.string(), "--check"});
    if (fresh.exit_code == 0) {
      outcome.did = "fresh";
      return;
    }
  }
  const ProcessResult result = runner.imgbuild({"lock", member.manifest.string()});
  if (result.exit_code != 0) return fail(outcome, result, "imgbuild lock");
  outcome.did = "locked";
}

void check_member(const Runner& runner, const Member& member, const fs::path& output,
                  Outcome& outcome) {
  const fs::path image = output / member.tag;
  std::error_code error;
  if (!fs::exists(image, error)) {
    outcome.problem = "there is no image '" + image.string() + "'";
    outcome.code = ExitCode::unavailable;
    return;
  }
  const ProcessResult result =
      runner.imgcheck({"check", image.string(), "--manifest", member.manifest.string(), "--format",
                       "json", "-o", (output / (member.tag + ".report.json")).string()});
  if (result.exit_code != 0) return fail(outcome, result, "imgcheck check");
  outcome.did += outcome.did.empty() ? "checked" : " and checked";
}

void build_member(const Runner& runner, const FamilyFlags& flags, const Member& member,
                  State& state, Outcome& outcome) {
  lock_member(runner, member, outcome);
  if (!outcome.problem.empty()) return;
  const fs::path image = fs::path(flags.output) / member.tag;
  const std::string lock = digest_of_file(member.lock());
  std::error_code error;
  const Json* before = state.find(member.tag, lock);
  const bool is_done = before != nullptr && (flags.remove_images || fs::exists(image, error));
  if (is_done) {
    outcome.built = *before;
    outcome.did = "built before";
    return;
  }
  const ProcessResult result =
      runner.imgbuild({"build", member.manifest.string(), "--locked", "-o", image.string()});
  if (result.exit_code != 0) return fail(outcome, result, "imgbuild build");
  outcome.built = parse_json(result.stdout_text, "the answer of imgbuild build");
  outcome.did = "built";
  if (flags.check) check_member(runner, member, flags.output, outcome);
  if (flags.remove_images) remove_tree(image);
  if (outcome.problem.empty()) state.put(member.tag, lock, outcome.built);
}

/// What members have in common: layers by digest, in the order of the members.
struct Sharing {
  std::uint64_t layers = 0, shared_layers = 0;
  std::uint64_t bytes = 0, shared_bytes = 0;
  double made_seconds = 0, saved_seconds = 0;
};

Sharing sharing_of(const std::vector<Outcome>& outcomes) {
  Sharing sharing;
  std::map<std::string, double> seconds_of;
  for (const Outcome& outcome : outcomes) {
    if (!outcome.built.is_object()) continue;
    for (const Json& layer : outcome.built.at("layers")) {
      const auto size = layer.at("size").get<std::uint64_t>();
      const double seconds = layer.at("seconds").get<double>();
      ++sharing.layers;
      sharing.bytes += size;
      const auto [place, is_new] =
          seconds_of.emplace(layer.at("digest").get<std::string>(), seconds);
      if (is_new) {
        sharing.made_seconds += seconds;
        continue;
      }
      ++sharing.shared_layers;
      sharing.shared_bytes += size;
      sharing.saved_seconds += place->second;
    }
  }
  return sharing;
}

Json outcome_json(const Outcome& outcome) {
  Json json = {{"tag", outcome.tag}, {"done", outcome.did}, {"seconds", outcome.seconds}};
  if (!outcome.problem.empty()) json["problem"] = outcome.problem;
  if (outcome.built.is_object()) json["digest"] = outcome.built.at("digest");
  return json;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

void print_answer(Session& session, const FamilyFlags& flags,
                  const std::vector<Outcome>& outcomes) {
  const Sharing sharing = sharing_of(outcomes);
  if (session.json()) {
    Json members = Json::array();
    for (const Outcome& outcome : outcomes) members.push_back(outcome_json(outcome));
    session.print_json({{"action", flags.action},
                        {"members", members},
                        {"layers", sharing.layers},
                        {"sharedLayers", sharing.shared_layers},
                        {"bytes", sharing.bytes},
                        {"sharedBytes", sharing.shared_bytes},
                        {"madeSeconds", sharing.made_seconds},
                        {"savedSeconds", sharing.saved_seconds}});
    return;
  }
  for (const Outcome& outcome : outcomes) {
    session.print(outcome.tag + ": " +
                  (outcome.problem.empty() ? outcome.did : "failed: " + outcome.problem));
  }
  if (sharing.layers == 0) return;
  session.print(with_commas(sharing.layers) + " layers of " + human_size(sharing.bytes) + "; " +
                with_commas(sharing.shared_layers) + " of them (" +
                human_size(sharing.shared_bytes) +
                ") are layers of an earlier member, which saved " +
                seconds_text(sharing.saved_seconds) + " of making them");
}

/// Generates the manifests of all members; those that are impossible get their outcome at once.
std::vector<std::pair<Member, Outcome>> write_manifests(const Family& family,
                                                        const FamilyFlags& flags) {
  std::vector<std::pair<Member, Outcome>> members;
  for (const FamilyMember& wanted : family.members) {
    Member member;
    Outcome outcome;
    outcome.tag = member.tag = wanted.torch + " on " + wanted.base;
    try {
      const FamilyManifest manifest = family_manifest(family, wanted, builtin_compatibility());
      outcome.tag = member.tag = manifest.tag;
      if (!flags.only.empty() && flags.only != manifest.tag) continue;
      member.manifest = fs::path(flags.family).parent_path() / manifest.path;
      create_folders(fs::absolute(member.manifest).parent_path());
      std::error_code error;
      const bool same =
          fs::exists(member.manifest, error) && read_file(member.manifest) == manifest.text;
      if (!same) write_file(member.manifest, manifest.text);
    } catch (const ManifestError& error) {
      if (!flags.only.empty()) continue;
      outcome.problem = error.what();
      outcome.code = error.exit_code();
    }
    members.emplace_back(std::move(member), std::move(outcome));
  }
  if (members.empty()) throw UsageError("the family has no member '" + flags.only + "'");
  return members;
}

ExitCode worst_of(const std::vector<Outcome>& outcomes) {
  for (const ExitCode code :
       {ExitCode::difference, ExitCode::integrity, ExitCode::usage, ExitCode::unavailable}) {
    for (const Outcome& outcome : outcomes) {
      if (!outcome.problem.empty() && outcome.code == code) return code;
    }
  }
  return ExitCode::ok;
}

ExitCode run_family(Session& session, const FamilyFlags& flags) {
  const std::set<std::string> actions = {"lock", "build", "check"};
  if (!actions.contains(flags.action)) {
    throw UsageError(
        ErrorText{.message = "'" + printable(flags.action) + "' is nothing to do with a family",
                  .hint = "write lock, build or check"});
  }
  if (flags.action != "lock" && flags.output.empty()) {
    throw UsageError(ErrorText{.message = "family " + flags.action + " needs a folder of images",
                               .hint = "add -o DIR"});
  }
  const Family family = parse_family(read_file(flags.family), flags.family);
  const Runner runner(session);
  std::optional<State> state;
  if (flags.action == "build") {
    create_folders(fs::absolute(flags.output));
    state.emplace(fs::path(flags.output) / "family.json");
  }
  std::vector<Outcome> outcomes;
  auto members = write_manifests(family, flags);
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& [member, outcome] = members[i];
    const auto start = std::chrono::steady_clock::now();
    if (outcome.problem.empty()) {
      session.progress().log("member " + std::to_string(i + 1) + " of " +
                             std::to_string(members.size()) + ": " + member.tag);
      if (flags.action == "lock") lock_member(runner, member, outcome);
      if (flags.action == "build") build_member(runner, flags, member, *state, outcome);
      if (flags.action == "check") check_member(runner, member, flags.output, outcome);
    }
    outcome.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    outcomes.push_back(std::move(outcome));
  }
  print_answer(session, flags, outcomes);
  return worst_of(outcomes);
}

}  // namespace

void add_family_command(CLI::App& app, Action& chosen) {
  auto flags = std::make_shared<FamilyFlags>();
  CLI::App* command = app.add_subcommand("family", "Lock, build or check a family of images");
  command->add_option("FAMILY", flags->family, "The family file")->required();
  command->add_option("ACTION", flags->action, "lock, build or check")->required();
  command->add_option("-o,--output", flags->output, "Folder of the images, one a member");
  command->add_option("--only", flags->only, "Only the member with this tag");
  command->add_flag("--check", flags->check, "build: check each image when it is built");
  command->add_flag("--remove-images", flags->remove_images,
                    "build: keep the layers in the store, but no image");
  command->callback([flags, &chosen] {
    chosen = [flags](Session& session) { return run_family(session, *flags); };
  });
}

}  // namespace img
