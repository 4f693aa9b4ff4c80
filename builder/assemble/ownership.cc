// SPDX-License-Identifier: Apache-2.0
// Finds contested paths among the wheels of an image and applies the recipes' `prefer:` rules.

#include "builder/assemble/ownership.h"

#include "builder/base/text.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

/// One wheel that installs a path, and what it puts there.
struct Claim {
  std::size_t wheel;
  InstalledFile file;
};
using Claims = std::map<std::string, std::vector<Claim>>;

Claims collect_claims(const std::vector<OwnedWheel>& wheels, const InstallTarget& target) {
  Claims claims;
  for (std::size_t index = 0; index < wheels.size(); ++index) {
    for (InstalledFile& file : installed_files(*wheels[index].wheel, target)) {
      const std::string path = file.path;
      claims[path].push_back({index, std::move(file)});
    }
  }
  return claims;
}

/// Two owners of a path agree when these are equal. RECORD's hash where there is one, since reading
/// every contested file of large wheels would take longer than all the rest.
std::string identity(const Wheel& wheel, const InstalledFile& file) {
  if (file.script) return "script " + file.script->module + ":" + file.script->attribute;
  const auto row = std::find_if(wheel.record().begin(), wheel.record().end(),
                                [&](const RecordRow& r) { return r.path == file.member->name; });
  if (row != wheel.record().end() && row->sha256) return to_hex(*row->sha256);
  Sha256 hash;
  wheel.zip().read(*file.member, [&](ByteView chunk) { hash.update(chunk); });
  return to_hex(hash.finish());
}

/// Drop rules never reach a wheel's own metadata (see DropRule).
bool can_be_dropped(const Wheel& wheel, const std::string& path) {
  return !path.starts_with(wheel.dist_info() + "/");
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
  return can_be_dropped(*owned.wheel, path) &&
         std::any_of(drops.begin(), drops.end(),
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
                         const std::vector<const Recipe*>& recipes, const Claims& claims) {
  for (const Recipe* recipe : recipes) {
    for (const DropGlob& drop : std::get<WheelsSpec>(recipe->spec).drop) {
      const bool applies = std::any_of(claims.begin(), claims.end(), [&](const auto& claim) {
        return glob_match(drop.glob, claim.first) &&
               std::any_of(claim.second.begin(), claim.second.end(), [&](const Claim& c) {
                 return wheels[c.wheel].recipe == recipe &&
                        can_be_dropped(*wheels[c.wheel].wheel, claim.first);
               });
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
    if (owners.size() < 2) continue;
    const auto identity_of = [&](const Claim& claim) {
      return identity(*wheels[claim.wheel].wheel, claim.file);
    };
    const std::string expected = identity_of(owners.front());
    const auto other = std::find_if(owners.begin() + 1, owners.end(), [&](const Claim& claim) {
      return identity_of(claim) != expected;
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
