// SPDX-License-Identifier: Apache-2.0
// Solving debs by apt in a private root that sees nothing of the machine's own configuration.
#include "builder/resolve/apt.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/resolve/apt_root.h"
#include "builder/resolve/release.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <utility>

namespace img {
namespace {

const DebianSpec& spec_of(const Recipe& recipe) { return std::get<DebianSpec>(recipe.spec); }

/// What all debian recipes of the image ask for together: one set of suites, so that they cannot
/// disagree about versions.
struct Archives {
  std::vector<AptSuite> suites;
  std::vector<std::string> components;
  std::vector<std::string> fingerprints;
};

template <typename Text>
void add_once(std::vector<Text>& list, const Text& text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(text);
}

Archives collect_archives(const DebProblem& problem, const Sources& sources, std::size_t attempt) {
  const std::string& suite = spec_of(*problem.recipes.front()).suite;
  std::vector<std::string> pockets;
  Archives archives;
  for (const Recipe* recipe : problem.recipes) {
    const DebianSpec& spec = spec_of(*recipe);
    if (spec.suite != suite) {
      throw ManifestError(ErrorText{.message = "recipe '" + recipe->name + "' is of suite '" +
                                               spec.suite + "', but the recipes below it are of '" +
                                               suite + "'",
                                    .position = recipe->position});
    }
    for (const std::string& pocket : spec.pockets) add_once(pockets, pocket);
    for (const std::string& component : spec.components) add_once(archives.components, component);
    for (const std::string& key : spec.keyring_fingerprints) add_once(archives.fingerprints, key);
  }
  if (archives.components.empty()) archives.components = {"main"};
  const auto address = [&](const std::string& name) {
    const std::vector<std::string>& known = sources.of(name);
    return known.at(std::min(attempt, known.size() - 1));
  };
  archives.suites.push_back({"debian", address("debian"), suite});
  std::sort(pockets.begin(), pockets.end());
  for (const std::string& pocket : pockets) {
    const std::string archive = pocket == "security" ? "debian-security" : "debian";
    archives.suites.push_back({archive, address(archive), suite + "-" + pocket});
  }
  return archives;
}

std::vector<ErrorDetail> apt_lines(const std::string& standard_error) {
  std::vector<ErrorDetail> details;
  for (const std::string& raw : split(standard_error, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty()) continue;
    details.push_back({details.empty() ? "apt" : "", std::string(line)});
  }
  return details;
}

/// Wrong signatures must never be retried into success; everything else may be the network's fault.
[[noreturn]] void report_update_failure(const std::string& standard_error) {
  const bool signature = standard_error.find("GPG error") != std::string::npos ||
                         standard_error.find("is not signed") != std::string::npos;
  if (signature) {
    throw IntegrityError(ErrorText{.message = "the Debian mirror's signatures are not good",
                                   .details = apt_lines(standard_error)});
  }
  throw UnavailableError(ErrorText{.message = "cannot read the Debian mirror's indexes",
                                   .details = apt_lines(standard_error),
                                   .hint = "check the mirror, or name another by --source "
                                           "debian=URL and --source debian-security=URL"});
}

void update(const AptRoot& apt) {
  // apt-get update exits 0 when it falls back to old lists; there are none here, but be strict.
  const ProcessResult result = apt.run({"update", "-q", "-o", "APT::Update::Error-Mode=any"});
  if (result.exit_code != 0) report_update_failure(result.stderr_text);
}

std::vector<LockedRelease> verify_releases(const AptRoot& apt, const Archives& archives,
                                           const DebProblem& problem, const fs::path& keyring) {
  std::vector<LockedRelease> releases;
  for (const AptSuite& suite : archives.suites) {
    ReleaseRequest request{.suite = suite.suite,
                           .fingerprints = archives.fingerprints,
                           .keyring = keyring,
                           .now = problem.now,
                           .previous_date = {}};
    const auto previous = problem.previous_dates.find(suite.suite);
    if (previous != problem.previous_dates.end()) request.previous_date = previous->second;
    releases.push_back(verify_release(apt.in_release(suite), request, apt.path()));
  }
  std::sort(releases.begin(), releases.end(),
            [](const auto& a, const auto& b) { return a.suite < b.suite; });
  return releases;
}

PackageIndexes read_indexes(const AptRoot& apt, const Archives& archives,
                            const std::string& architecture) {
  PackageIndexes indexes;
  for (const AptSuite& suite : archives.suites) {
    for (const std::string& component : archives.components) {
      const fs::path file = apt.packages(suite, component, architecture);
      indexes.add(read_file(file, 512ull << 20), suite.archive, suite.suite);
    }
  }
  return indexes;
}

/// "name" or "name=version", known to the archive. apt takes an unknown name with a dot in it for a
/// pattern.
void require_known(const std::string& request, const Recipe& recipe, const std::string& suite,
                   const PackageIndexes& indexes) {
  const std::size_t equals = request.find('=');
  const std::string name = request.substr(0, equals);
  if (!indexes.is_known(name)) {
    const std::vector<std::string> names = indexes.names();
    const auto guess = did_you_mean(name, names);
    throw ManifestError(
        ErrorText{.message = "suite '" + suite + "' has no package '" + name + "'",
                  .position = recipe.position,
                  .hint = guess ? "did you mean '" + *guess + "'?" : std::string()});
  }
  if (equals == std::string::npos || indexes.has(name, request.substr(equals + 1))) return;
  throw ManifestError(ErrorText{.message = "suite '" + suite + "' has no version '" +
                                           request.substr(equals + 1) + "' of '" + name + "'",
                                .details = {{"there is", join(indexes.versions(name), ", ")}},
                                .position = recipe.position});
}

std::set<std::string> requested_names(const Recipe& recipe, const PackageIndexes& indexes) {
  const DebianSpec& spec = spec_of(recipe);
  std::set<std::string> names;
  for (const std::string& request : spec.packages) {
    require_known(request, recipe, spec.suite, indexes);
    names.insert(request);
  }
  if (spec.essential) names.insert(indexes.essential().begin(), indexes.essential().end());
  return names;
}

/// The last lock's versions win wherever a package is still wanted; superseded ones are gone from
/// the mirror and move.
void keep_previous(const AptRoot& apt, const DebProblem& problem, const PackageIndexes& indexes,
                   Progress& progress) {
  std::string preferences;
  for (const auto& [package, version] : problem.pins) {
    if (!indexes.has(package, version)) {
      progress.warn("'" + package + "' " + version + " is no longer served and moves");
      continue;
    }
    preferences += "Package: " + package + "\nPin: version " + version + "\nPin-Priority: 1001\n\n";
  }
  apt.write_preferences(preferences);
}

/// Why there is no solution: a quiet apt does not say, so it is asked again, without doing
/// anything.
[[noreturn]] void report_no_solution(const AptRoot& apt, const Recipe& recipe,
                                     const std::set<std::string>& names) {
  std::vector<std::string> arguments = {"--simulate", "-y", "-q", "install"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  const ProcessResult result = apt.run(arguments);
  const std::size_t start = result.stdout_text.find("The following packages have unmet");
  const std::string reasons =
      start == std::string::npos ? std::string() : result.stdout_text.substr(start);
  throw ManifestError(
      ErrorText{.message = "no set of packages satisfies recipe '" + recipe.name + "'",
                .details = apt_lines(reasons + "\n" + result.stderr_text),
                .position = recipe.position});
}

std::vector<PrintedUri> solve(const AptRoot& apt, const Recipe& recipe,
                              const std::set<std::string>& names) {
  std::vector<std::string> arguments = {"--print-uris", "-y", "-qq", "install"};
  arguments.insert(arguments.end(), names.begin(), names.end());
  const ProcessResult result = apt.run(arguments);
  if (result.exit_code != 0) report_no_solution(apt, recipe, names);
  return parse_print_uris(result.stdout_text);
}

LockedDeb to_locked(const IndexedDeb& deb, const std::string& layer) {
  LockedDeb locked{.sha256 = Digest::parse("sha256:" + deb.sha256)};
  locked.package = deb.package;
  locked.version = deb.version;
  locked.architecture = deb.architecture;
  locked.path = deb.path;
  locked.archive = deb.archive;
  locked.suite = deb.suite;
  locked.size = deb.size;
  locked.layer = layer;
  return locked;
}

std::vector<LockedDeb> new_debs(const std::vector<PrintedUri>& uris, const Recipe& recipe,
                                const PackageIndexes& indexes,
                                const std::map<std::string, std::string>& below) {
  std::vector<LockedDeb> debs;
  for (const PrintedUri& uri : uris) {
    const IndexedDeb* deb = indexes.find(uri.sha256);
    if (deb == nullptr || deb->size != uri.size) {
      throw IntegrityError("apt chose '" + uri.file + "', which no signed index lists");
    }
    const auto lower = below.find(deb->package);
    if (lower == below.end()) {
      debs.push_back(to_locked(*deb, recipe.name));
    } else if (lower->second != deb->version) {
      throw InternalError("apt moved the pinned package '" + deb->package + "'");
    }
  }
  std::sort(debs.begin(), debs.end(),
            [](const auto& a, const auto& b) { return a.package < b.package; });
  return debs;
}

/// Everything below stays as it is: an upper layer cannot bring a second version of it.
void add_pins(std::set<std::string>& names, const std::map<std::string, std::string>& below,
              const Recipe& recipe) {
  for (const std::string& request : names) {
    const std::size_t equals = request.find('=');
    const auto lower = below.find(request.substr(0, equals));
    if (equals == std::string::npos || lower == below.end()) continue;
    if (lower->second == request.substr(equals + 1)) continue;
    throw ManifestError(ErrorText{.message = "recipe '" + recipe.name + "' asks for '" + request +
                                             "', but a recipe below it has version '" +
                                             lower->second + "'",
                                  .position = recipe.position,
                                  .hint = "ask for that version in the lowest recipe"});
  }
  for (const auto& [package, version] : below) {
    names.erase(package);
    names.insert(package + "=" + version);
  }
}

AptRoot fetch_indexes(const DebProblem& problem, const Sources& sources, const fs::path& work,
                      const fs::path& keyring, Archives& archives) {
  std::size_t attempts = 1;
  for (const char* name : {"debian", "debian-security"}) {
    const auto known = sources.by_name.find(name);
    if (known != sources.by_name.end()) attempts = std::max(attempts, known->second.size());
  }
  for (std::size_t attempt = 0;; ++attempt) {
    archives = collect_archives(problem, sources, attempt);
    AptRoot apt(work / ("apt" + std::to_string(attempt)), archives.suites, archives.components,
                problem.architecture, keyring);
    try {
      update(apt);
      return apt;
    } catch (const UnavailableError&) {
      if (attempt + 1 >= attempts) throw;
    }
  }
}

}  // namespace

fs::path archive_keyring() {
  const char* chosen = std::getenv("IMGBUILD_KEYRING");
  const fs::path keyring = chosen != nullptr && *chosen != '\0'
                               ? fs::path(chosen)
                               : fs::path("/usr/share/keyrings/debian-archive-keyring.gpg");
  if (fs::exists(keyring)) return keyring;
  throw UnavailableError(ErrorText{.message = "cannot find keyring '" + keyring.string() + "'",
                                   .hint = "install it: apt-get install debian-archive-keyring"});
}

std::vector<PrintedUri> parse_print_uris(std::string_view text) {
  std::vector<PrintedUri> uris;
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with('\'')) continue;
    const std::size_t quote = line.find('\'', 1);
    const std::vector<std::string> words =
        split(quote == std::string::npos ? line : line.substr(quote + 1), ' ');
    if (words.size() != 4 || !words[3].starts_with("SHA256:")) {
      throw IntegrityError("apt names a file without its SHA256: '" + line + "'");
    }
    const auto size = parse_decimal(words[2]);
    if (!size) throw IntegrityError("apt names a file without its size: '" + line + "'");
    uris.push_back({words[1], words[3].substr(7), *size});
  }
  return uris;
}

DebSolution solve_debs(const DebProblem& problem, const Sources& sources, const fs::path& work,
                       Progress& progress) {
  DebSolution solution;
  if (problem.recipes.empty()) return solution;
  const fs::path keyring = archive_keyring();
  ProgressTask task = progress.task("solving", "Debian packages");
  Archives archives;
  const AptRoot apt = fetch_indexes(problem, sources, work, keyring, archives);
  solution.releases = verify_releases(apt, archives, problem, keyring);
  const PackageIndexes indexes = read_indexes(apt, archives, problem.architecture);
  keep_previous(apt, problem, indexes, progress);
  std::map<std::string, std::string> below;
  for (const Recipe* recipe : problem.recipes) {
    std::set<std::string> names = requested_names(*recipe, indexes);
    add_pins(names, below, *recipe);
    for (LockedDeb& deb : new_debs(solve(apt, *recipe, names), *recipe, indexes, below)) {
      below[deb.package] = deb.version;
      solution.debs.push_back(std::move(deb));
    }
  }
  task.finish(std::to_string(solution.debs.size()) + " packages");
  return solution;
}

}  // namespace img
