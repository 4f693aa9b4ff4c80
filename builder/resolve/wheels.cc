// SPDX-License-Identifier: Apache-2.0
// The image's one closure of wheels: solved, each wheel chosen and given to its recipe.
#include "builder/resolve/wheels.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/inputs/wheel.h"
#include "builder/resolve/assign.h"
#include "builder/resolve/pylock.h"
#include "builder/resolve/requirements.h"
#include "builder/resolve/uv.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

namespace img {
namespace {

constexpr const char* kDefaultIndex = "pypi";

std::string index_of(const WheelsSpec& spec) {
  return spec.index.empty() ? kDefaultIndex : spec.index;
}

/// Binds what the recipe requires to the one index it names. A package that two recipes bind to two
/// indexes is an error: "the best of several" is how somebody else's package of the same name gets
/// in.
void bind(const Recipe& recipe, const std::vector<Requirement>& requirements, UvProblem& uv) {
  const std::string index = index_of(std::get<WheelsSpec>(recipe.spec));
  if (index == kDefaultIndex) return;
  for (const Requirement& requirement : requirements) {
    const auto [bound, fresh] = uv.bound.emplace(requirement.name, index);
    if (fresh || bound->second == index) continue;
    throw ManifestError(ErrorText{.message = "'" + requirement.name +
                                             "' is bound to two indexes, '" + bound->second +
                                             "' and '" + index + "'",
                                  .position = requirement.position,
                                  .hint = "require it in one recipe only"});
  }
}

UvProblem make_problem(const WheelProblem& problem, const Sources& sources,
                       const std::vector<std::vector<Requirement>>& requirements) {
  UvProblem uv;
  uv.python_version = problem.python_full;
  uv.glibc_minor = problem.glibc_minor;
  uv.default_address = sources.of(kDefaultIndex).front();
  const std::vector<Recipe>& recipes = problem.manifest->recipes;
  for (std::size_t i = 0; i < recipes.size(); ++i) {
    if (std::holds_alternative<WheelsSpec>(recipes[i].spec)) bind(recipes[i], requirements[i], uv);
  }
  for (const auto& [package, index] : uv.bound) {
    uv.addresses.emplace(index, sources.of(index).front());
  }
  return uv;
}

std::set<std::string> names_of(const std::vector<PylockPackage>& packages) {
  std::set<std::string> names;
  for (const PylockPackage& package : packages) names.insert(package.name);
  return names;
}

/// Solves the requirements of recipes 1..k again for each k, with every version fixed: what those
/// need of the whole closure.
class PrefixClosures {
 public:
  PrefixClosures(UvProblem uv, const std::vector<PylockPackage>& solution, fs::path cache,
                 fs::path work)
      : uv_(std::move(uv)),
        all_(names_of(solution)),
        cache_(std::move(cache)),
        work_(std::move(work)) {
    uv_.requirements.clear();
    uv_.constraints.clear();
    for (const PylockPackage& package : solution) {
      uv_.constraints.push_back(package.name + "==" + package.version);
    }
  }

  std::set<std::string> add(const std::vector<Requirement>& requirements, bool is_last) {
    if (is_last) return all_;
    if (requirements.empty()) return current_;
    uv_.requirements.insert(uv_.requirements.end(), requirements.begin(), requirements.end());
    try {
      current_ = names_of(parse_pylock(run_uv(uv_, cache_, work_)));
    } catch (const ManifestError&) {
      current_ = names_of(parse_pylock(run_uv(with_bound_packages(), cache_, work_)));
    }
    return current_;
  }

 private:
  /// uv knows the index of a bound package only when the project itself requires it. A prefix that
  /// has no solution needs one that a recipe further up requires: then it is named here as well.
  UvProblem with_bound_packages() const {
    UvProblem uv = uv_;
    for (const auto& [package, index] : uv_.bound) {
      if (!all_.contains(package)) continue;
      uv.requirements.push_back({.text = package,
                                 .name = package,
                                 .hashes = {},
                                 .layer = {},
                                 .origin = {},
                                 .position = {}});
    }
    return uv;
  }

  UvProblem uv_;
  std::set<std::string> all_, current_;
  fs::path cache_, work_;
};

std::map<std::string, std::string> assign(const WheelProblem& problem, PrefixClosures& closures,
                                          const std::vector<std::vector<Requirement>>& requirements,
                                          const std::set<std::string>& closure) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < requirements.size(); ++i) {
    if (!requirements[i].empty()) last = i;
  }
  std::vector<AssignedRecipe> assigned;
  for (std::size_t i = 0; i < problem.manifest->recipes.size(); ++i) {
    const Recipe& recipe = problem.manifest->recipes[i];
    const auto* spec = std::get_if<WheelsSpec>(&recipe.spec);
    if (spec == nullptr) continue;
    assigned.push_back({.layer = recipe.name,
                        .owns = spec->owns,
                        .needs = closures.add(requirements[i], i == last),
                        .position = recipe.position});
  }
  return assign_layers(assigned, closure);
}

/// Thrown to stop a transfer once its headers have told the size.
struct SizeKnown {
  std::uint64_t size = 0;
};

/// Size of a file by its server: simple HTML indexes do not say it.
std::uint64_t ask_size(HttpClient& client, const std::string& url) {
  NullSink nowhere;
  HttpRequest request;
  request.url = url;
  try {
    client.get(request, nowhere, [](const HttpResponse& response) {
      const auto length = response.headers.find("content-length");
      if (response.status / 100 != 2 || length == response.headers.end()) return;
      throw SizeKnown{parse_decimal(length->second).value_or(0)};
    });
  } catch (const SizeKnown& known) {
    return known.size;
  }
  throw UnavailableError("'" + displayable_url(url) + "' does not tell its size");
}

/// What uv does not know (old indexes), from the index page itself.
void complete(LockedWheel& wheel, std::string& sha256, const std::string& address,
              HttpClient& client) {
  const auto files = read_index_page(client, address, wheel.name);
  if (!files) return;
  for (const IndexFile& file : *files) {
    if (file.file != wheel.file) continue;
    if (sha256.empty()) sha256 = file.sha256;
    if (wheel.size == 0) wheel.size = file.size > 0 ? file.size : ask_size(client, file.url);
    if (wheel.uploaded.empty()) wheel.uploaded = file.uploaded;
  }
}

void check_hashes(const LockedWheel& wheel,
                  const std::vector<std::vector<Requirement>>& requirements) {
  for (const auto& list : requirements) {
    for (const Requirement& requirement : list) {
      if (requirement.name != wheel.name || requirement.hashes.empty()) continue;
      const auto& hashes = requirement.hashes;
      const std::string hex(wheel.sha256.hex());
      if (std::find(hashes.begin(), hashes.end(), hex) != hashes.end()) continue;
      throw ManifestError(ErrorText{
          .message = "'" + wheel.file + "' has none of the hashes that the requirement asks for",
          .details = {{"expected", join(hashes, " or "), requirement.origin},
                      {"got", hex, "index '" + wheel.index + "'"}},
          .position = requirement.position});
    }
  }
}

LockedWheel to_locked(const PylockPackage& package, const PylockWheel& chosen,
                      const std::string& index, const std::string& address,
                      const std::function<HttpClient&()>& client) {
  LockedWheel wheel{.sha256 = Digest::of(std::string_view())};
  wheel.name = package.name;
  wheel.version = package.version;
  wheel.file = chosen.file;
  wheel.size = chosen.size;
  wheel.uploaded = chosen.uploaded;
  wheel.index = index;
  std::string sha256 = chosen.sha256;
  if (sha256.empty() || wheel.size == 0 || wheel.uploaded.empty()) {
    complete(wheel, sha256, address, client());
  }
  if (sha256.empty() || wheel.size == 0) {
    throw UnavailableError("index '" + index + "' gives no " +
                           (sha256.empty() ? "sha256" : "size") + " for '" + wheel.file + "'");
  }
  wheel.sha256 = Digest::parse("sha256:" + sha256);
  return wheel;
}

}  // namespace

std::string wheel_platform(int glibc_minor) {
  return "manylinux_2_" + std::to_string(glibc_minor) + "_x86_64";
}

std::vector<LockedWheel> solve_wheels(
    const WheelProblem& problem, const Sources& sources, const fs::path& cache,
    const fs::path& work, Progress& progress,
    const std::function<std::unique_ptr<HttpClient>()>& make_client) {
  std::vector<std::vector<Requirement>> requirements;
  for (const Recipe& recipe : problem.manifest->recipes) {
    requirements.push_back(read_requirements(recipe));
  }
  UvProblem uv = make_problem(problem, sources, requirements);
  for (const auto& list : requirements) {
    uv.requirements.insert(uv.requirements.end(), list.begin(), list.end());
  }
  for (const auto& [name, version] : problem.keep) uv.constraints.push_back(name + "==" + version);

  ProgressTask task = progress.task("solving", "wheels");
  const std::vector<PylockPackage> packages = parse_pylock(run_uv(uv, cache, work));
  PrefixClosures closures(uv, packages, cache, work);
  const auto layers = assign(problem, closures, requirements, names_of(packages));

  std::unique_ptr<HttpClient> http;
  const auto client = [&]() -> HttpClient& {
    if (!http) http = make_client();
    return *http;
  };
  const TagRanking ranking(problem.python, 2, problem.glibc_minor, "x86_64");
  std::vector<LockedWheel> wheels;
  for (const PylockPackage& package : packages) {
    const auto bound = uv.bound.find(package.name);
    const std::string index = bound == uv.bound.end() ? kDefaultIndex : bound->second;
    const std::string& address =
        bound == uv.bound.end() ? uv.default_address : uv.addresses.at(index);
    LockedWheel wheel = to_locked(package, choose_wheel(package, ranking), index, address, client);
    check_hashes(wheel, requirements);
    wheel.layer = layers.at(wheel.name);
    wheels.push_back(std::move(wheel));
  }
  task.finish(std::to_string(wheels.size()) + " wheels");
  return wheels;
}

}  // namespace img
