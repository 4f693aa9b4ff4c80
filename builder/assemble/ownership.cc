// SPDX-License-Identifier: Apache-2.0
// Finds contested paths among the wheels of an image and applies the recipes' `prefer:` rules.

#include "builder/assemble/ownership.h"

#include "builder/base/text.h"

#include <algorithm>
#include <optional>
#include <set>

namespace img {
namespace {

/// What stands at an installed path: two owners agree when these are equal.
struct Claim {
  std::size_t wheel;
  std::string identity;
};

bool is_unhashed_record(const Wheel& wheel, const std::string& path) {
  return path == wheel.dist_info() + "/RECORD" || path.ends_with(".dist-info/RECORD.jws") ||
         path.ends_with(".dist-info/RECORD.p7s");
}

/// Path relative to site-packages; paths elsewhere in the venv start with '/', as in drop rules.
std::optional<std::string> installed_path(const Wheel& wheel, const std::string& member,
                                          const InstallTarget& target) {
  const std::string data = wheel.dist_info().substr(0, wheel.dist_info().size() - 10) + ".data/";
  if (!member.starts_with(data)) return member;
  const std::string_view rest = std::string_view(member).substr(data.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view scheme = rest.substr(0, slash);
  const std::string inner(rest.substr(slash + 1));
  if (scheme == "purelib" || scheme == "platlib") return inner;
  if (scheme == "scripts") return "/bin/" + inner;
  if (scheme == "headers") {
    return "/include/site/python" + target.python_version + "/" + wheel.file_name().distribution +
           "/" + inner;
  }
  return "/" + inner;
}

std::map<std::string, std::vector<Claim>> collect_claims(const std::vector<OwnedWheel>& wheels,
                                                         const InstallTarget& target) {
  std::map<std::string, std::vector<Claim>> claims;
  for (std::size_t index = 0; index < wheels.size(); ++index) {
    const Wheel& wheel = *wheels[index].wheel;
    for (const RecordRow& row : wheel.record()) {
      if (is_unhashed_record(wheel, row.path)) continue;
      const auto path = installed_path(wheel, row.path, target);
      if (!path) continue;
      claims[*path].push_back({index, row.sha256 ? to_hex(*row.sha256) : "unhashed"});
    }
    for (const ConsoleScript& script : wheel.scripts()) {
      claims["/bin/" + script.name].push_back(
          {index, "script " + script.module + ":" + script.attribute});
    }
  }
  return claims;
}

const PreferRule* deciding_rule(const std::vector<const Recipe*>& recipes, const std::string& path,
                                std::set<const PreferRule*>& used) {
  for (const Recipe* recipe : recipes) {
    for (const PreferRule& rule : std::get<WheelsSpec>(recipe->spec).prefer) {
      if (!glob_match(rule.glob, path)) continue;
      used.insert(&rule);
      return &rule;
    }
  }
  return nullptr;
}

bool dropped_by_recipe(const OwnedWheel& owned, const std::string& path) {
  const auto& drops = std::get<WheelsSpec>(owned.recipe->spec).drop;
  return std::any_of(drops.begin(), drops.end(),
                     [&](const DropGlob& drop) { return glob_match(drop.glob, path); });
}

/// Glob that matches exactly this path.
std::string escape_glob(const std::string& path) {
  std::string glob;
  for (const char c : path) {
    if (c == '*' || c == '?' || c == '[') {
      glob += std::string("[") + c + "]";
    } else {
      glob += c;
    }
  }
  return glob;
}

/// Contested paths by pair of wheels, for one error that says how many.
using Contests = std::map<std::pair<std::size_t, std::size_t>, std::vector<std::string>>;

[[noreturn]] void throw_contest(const std::vector<OwnedWheel>& wheels, const Contests& contests) {
  const auto& [pair, paths] = *contests.begin();
  const std::string& first = wheels[pair.first].wheel->file_name().file;
  const std::string& second = wheels[pair.second].wheel->file_name().file;
  const std::string glob = paths.front();
  throw InputError(ErrorText{
      .message = "two wheels bring different files under the same path",
      .details = {{"first", first, "recipe " + wheels[pair.first].recipe->name},
                  {"second", second, "recipe " + wheels[pair.second].recipe->name},
                  {"paths", std::to_string(paths.size()), "for example '" + glob + "'"}},
      .hint = "say which one wins in the recipe: prefer: [{glob: \"" + glob + "\", winner: " +
              wheels[pair.first].wheel->file_name().normalized() + ", reason: …}]"});
}

void require_drops_apply(const std::vector<OwnedWheel>& wheels,
                         const std::vector<const Recipe*>& recipes,
                         const std::map<std::string, std::vector<Claim>>& claims) {
  for (const Recipe* recipe : recipes) {
    for (const DropGlob& drop : std::get<WheelsSpec>(recipe->spec).drop) {
      const bool applies = std::any_of(claims.begin(), claims.end(), [&](const auto& claim) {
        return glob_match(drop.glob, claim.first) &&
               std::any_of(claim.second.begin(), claim.second.end(),
                           [&](const Claim& c) { return wheels[c.wheel].recipe == recipe; });
      });
      if (!applies) {
        throw ManifestError(ErrorText{
            .message = "drop rule '" + drop.glob + "' of recipe '" + recipe->name +
                       "' matches no file of its wheels",
            .hint = "remove the rule, or correct the glob (paths are relative to site-packages)"});
      }
    }
  }
}

void require_preferences_apply(const std::vector<const Recipe*>& recipes,
                               const std::set<const PreferRule*>& used) {
  for (const Recipe* recipe : recipes) {
    for (const PreferRule& rule : std::get<WheelsSpec>(recipe->spec).prefer) {
      if (used.count(&rule) != 0) continue;
      throw ManifestError(ErrorText{.message = "prefer rule '" + rule.glob + "' of recipe '" +
                                               recipe->name + "' decides nothing",
                                    .hint = "remove the rule: no two wheels differ there"});
    }
  }
}

}  // namespace

YieldedPaths check_ownership(const std::vector<OwnedWheel>& wheels,
                             const std::vector<const Recipe*>& recipes,
                             const InstallTarget& target) {
  const auto claims = collect_claims(wheels, target);
  require_drops_apply(wheels, recipes, claims);

  YieldedPaths yielded;
  Contests contests;
  std::set<const PreferRule*> used;
  for (const auto& [path, all_owners] : claims) {
    if (all_owners.size() < 2) continue;
    std::vector<Claim> owners;
    std::copy_if(all_owners.begin(), all_owners.end(), std::back_inserter(owners),
                 [&, &path = path](const Claim& claim) {
                   return !dropped_by_recipe(wheels[claim.wheel], path);
                 });
    const auto other = std::find_if(owners.begin(), owners.end(), [&](const Claim& claim) {
      return claim.identity != owners.front().identity;
    });
    if (other == owners.end()) continue;
    const PreferRule* rule = deciding_rule(recipes, path, used);
    const auto winner =
        rule == nullptr
            ? owners.end()
            : std::find_if(owners.begin(), owners.end(), [&](const Claim& claim) {
                return wheels[claim.wheel].wheel->file_name().normalized() == rule->winner;
              });
    if (winner == owners.end()) {
      contests[{owners.front().wheel, other->wheel}].push_back(path);
      continue;
    }
    for (const Claim& claim : owners) {
      if (claim.wheel == winner->wheel) continue;
      yielded[wheels[claim.wheel].wheel->file_name().file].push_back(
          {escape_glob(path), "'" + rule->winner + "' brings it: " + rule->reason});
    }
  }
  if (!contests.empty()) throw_contest(wheels, contests);
  require_preferences_apply(recipes, used);
  return yielded;
}

}  // namespace img
