// SPDX-License-Identifier: Apache-2.0
// BuildManifest → LockFile: debs first (they say which Python and glibc), then wheels, bytes,
// promises.
#include "builder/resolve/resolve.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/fetch/store.h"
#include "builder/inputs/wheel.h"
#include "builder/layer/layer_format.h"
#include "builder/manifest/compatibility.h"
#include "builder/resolve/apt.h"
#include "builder/resolve/base_image.h"
#include "builder/resolve/promises.h"
#include "builder/resolve/wheels.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace img {
namespace {

void require_known_updates(const ResolveOptions& options) {
  if (options.update.empty()) return;
  if (options.previous == nullptr) {
    throw UsageError(ErrorText{.message = "there is no lock yet whose names could be updated",
                               .hint = "run 'imgbuild lock' without --update first"});
  }
  std::vector<std::string> names;
  for (const LockedWheel& wheel : options.previous->wheels) names.push_back(wheel.name);
  for (const LockedDeb& deb : options.previous->debs) names.push_back(deb.package);
  for (const std::string& name : options.update) {
    const auto is_same = [&](const std::string& known) {
      return known == name || known == normalize_distribution(name);
    };
    if (std::any_of(names.begin(), names.end(), is_same)) continue;
    const auto guess = did_you_mean(name, names);
    throw UsageError(ErrorText{.message = "the lock has no wheel and no package '" + name + "'",
                               .hint = guess ? "did you mean '" + *guess + "'?" : std::string()});
  }
}

bool moves(const ResolveOptions& options, const std::string& name) {
  return std::any_of(options.update.begin(), options.update.end(), [&](const std::string& update) {
    return update == name || normalize_distribution(update) == name;
  });
}

/// True when --update names only wheels and the manifest did not change: then the debs stay,
/// superseded or not.
bool keeps_all_debs(const BuildManifest& manifest, const ResolveOptions& options) {
  if (options.update.empty() || options.previous == nullptr) return false;
  if (options.previous->manifest_checksum != manifest.checksum()) return false;
  return std::none_of(options.previous->debs.begin(), options.previous->debs.end(),
                      [&](const LockedDeb& deb) { return moves(options, deb.package); });
}

/// Wheels and debs are solved by asking an index and a mirror; everything else is local.
bool asks_outside(const BuildManifest& manifest) {
  return std::any_of(manifest.recipes.begin(), manifest.recipes.end(), [](const Recipe& recipe) {
    return std::holds_alternative<WheelsSpec>(recipe.spec) ||
           std::holds_alternative<DebianSpec>(recipe.spec);
  });
}

std::string debian_architecture(const BuildManifest& manifest) {
  const std::string& architecture = manifest.platform.architecture;
  if (architecture == "amd64") return architecture;
  throw ManifestError("platform '" + to_string(manifest.platform) +
                      "' is not supported, expected linux/amd64");
}

void resolve_debs(const BuildManifest& manifest, const ResolveOptions& options,
                  const Sources& sources, const fs::path& work, Progress& progress,
                  LockFile& lock) {
  if (keeps_all_debs(manifest, options)) {
    lock.debs = options.previous->debs;
    lock.releases = options.previous->releases;
    return;
  }
  DebProblem problem{.recipes = {},
                     .architecture = debian_architecture(manifest),
                     .pins = {},
                     .previous_dates = {},
                     .now = options.now};
  for (const Recipe& recipe : manifest.recipes) {
    if (std::holds_alternative<DebianSpec>(recipe.spec)) problem.recipes.push_back(&recipe);
  }
  if (problem.recipes.empty()) return;
  if (!lock.bases.empty()) {
    throw ManifestError(
        ErrorText{.message = "recipe '" + problem.recipes.front()->name +
                             "' adds Debian packages to a base image, whose packages are unknown",
                  .position = problem.recipes.front()->position,
                  .hint = "use a base of kind 'debian'"});
  }
  if (options.previous != nullptr) {
    for (const LockedRelease& release : options.previous->releases) {
      problem.previous_dates[release.suite] = release.date;
    }
    for (const LockedDeb& deb : options.previous->debs) {
      const bool keeps = !options.update.empty() && !moves(options, deb.package);
      if (keeps) problem.pins[deb.package] = deb.version;
    }
  }
  DebSolution solution = solve_debs(problem, sources, work, progress);
  lock.debs = std::move(solution.debs);
  lock.releases = std::move(solution.releases);
}

const LockedDeb* find_deb(const LockFile& lock, const std::string& package) {
  for (const LockedDeb& deb : lock.debs) {
    if (deb.package == package) return &deb;
  }
  return nullptr;
}

/// "2.36-9+deb12u14" → 36
int glibc_minor_of(const std::string& version) {
  int minor = 0;
  const bool is_two = version.starts_with("2.");
  const char* end = version.data() + version.size();
  const auto [rest, error] = std::from_chars(version.data() + (is_two ? 2 : 0), end, minor);
  if (!is_two || error != std::errc() || minor <= 0) {
    throw ManifestError("cannot tell the glibc of this image from version '" + version + "'");
  }
  return minor;
}

/// The base image, when there is one.
const Recipe* find_base(const BuildManifest& manifest) {
  for (const Recipe& recipe : manifest.recipes) {
    if (std::holds_alternative<OciSpec>(recipe.spec)) return &recipe;
  }
  return nullptr;
}

int find_glibc(const LockFile& lock, const std::optional<BaseLibraries>& base) {
  if (const LockedDeb* libc = find_deb(lock, "libc6")) return glibc_minor_of(libc->version);
  if (base) return glibc_minor_of(base->glibc);
  throw ManifestError(ErrorText{.message = "no recipe below the wheels brings a glibc",
                                .hint = "add package 'libc6' to the base"});
}

std::string full_python(const PythonSpec& python, const LockFile& lock) {
  for (const char* suffix : {"-minimal", ""}) {
    if (const LockedDeb* deb = find_deb(lock, "python" + python.version + suffix)) {
      const std::string version =
          deb->version.substr(0, deb->version.find_first_not_of("0123456789."));
      if (keeps_promise(python.version, version)) return version;
      throw ManifestError("package '" + deb->package + "' has version " + deb->version + ", not " +
                          python.version);
    }
  }
  return python.version;
}

void refuse_changed_indexes(const LockFile& lock, const ResolveOptions& options) {
  if (options.previous == nullptr || options.allow_index_change) return;
  for (const LockedWheel& wheel : lock.wheels) {
    for (const LockedWheel& before : options.previous->wheels) {
      if (before.name != wheel.name || before.index == wheel.index) continue;
      throw ManifestError(
          ErrorText{.message = "wheel '" + wheel.name + "' now comes from another index",
                    .details = {{"expected", before.index, "the lock"}, {"got", wheel.index}},
                    .hint = "if that is meant, lock with --allow-index-change"});
    }
  }
}

void resolve_wheels(const BuildManifest& manifest, const ResolveOptions& options,
                    const Sources& sources, const fs::path& cache, const fs::path& work,
                    Progress& progress, LockFile& lock) {
  const bool has_wheels = std::any_of(
      manifest.recipes.begin(), manifest.recipes.end(),
      [](const Recipe& recipe) { return std::holds_alternative<WheelsSpec>(recipe.spec); });
  if (!has_wheels) return;
  const PythonSpec* python = manifest.python();
  if (python == nullptr) throw ManifestError("the image has wheels, but no recipe brings a Python");
  const Recipe* base = find_base(manifest);
  std::optional<BaseLibraries> libraries;
  if (base != nullptr) libraries = libraries_of_base_image(*base, std::get<OciSpec>(base->spec));
  WheelProblem problem{.manifest = &manifest,
                       .python = python->version,
                       .python_full = full_python(*python, lock),
                       .glibc_minor = find_glibc(lock, libraries),
                       .keep = {}};
  if (options.previous != nullptr && !options.update.empty()) {
    for (const LockedWheel& wheel : options.previous->wheels) {
      if (!moves(options, wheel.name)) problem.keep[wheel.name] = wheel.version;
    }
  }
  lock.python = problem.python;
  lock.wheel_platform = wheel_platform(problem.glibc_minor);
  lock.wheels = solve_wheels(problem, sources, cache, work, progress);
  refuse_changed_indexes(lock, options);
  if (base != nullptr) {
    require_libstdcxx(*base, std::get<OciSpec>(base->spec), *libraries, lock.wheels);
  }
}

void take_bases(const BuildManifest& manifest, LockFile& lock) {
  for (const Recipe& recipe : manifest.recipes) {
    if (const auto* oci = std::get_if<OciSpec>(&recipe.spec)) {
      lock.bases.push_back({.layer = recipe.name, .manifest = Digest::parse(oci->digest)});
    }
  }
}

/// Newest of the dates that the inputs carry; images without any get the date of their entries.
std::string newest_date(const BuildManifest& manifest, const LockFile& lock) {
  std::int64_t newest = kEntryMtime;
  if (const Recipe* base = find_base(manifest)) {
    const std::string date = created_of_base_image(std::get<OciSpec>(base->spec));
    newest = std::max(newest, parse_rfc3339(date).value_or(0));
  }
  for (const LockedWheel& wheel : lock.wheels) {
    newest = std::max(newest, parse_rfc3339(wheel.uploaded).value_or(0));
  }
  for (const LockedRelease& release : lock.releases) {
    newest = std::max(newest, parse_rfc3339(release.date).value_or(0));
  }
  return format_rfc3339(newest);
}

std::vector<std::string> known_cuda_variants(const std::string& torch) {
  std::vector<std::string> variants;
  if (const TorchRelease* release = builtin_compatibility().find_torch(torch)) {
    for (const TorchVariant& variant : release->variants) {
      if (!variant.cuda.empty()) variants.push_back(variant.cuda);
    }
  }
  return variants;
}

void fetch_artifacts(const Sources& sources, Store& store, Progress& progress, LockFile& lock) {
  fetch_all(wanted_files(lock), sources, store, progress);
  for (LockedWheel& wheel : lock.wheels) {
    wheel.unpacked_size = wheel_facts(store, wheel.sha256, wheel.file).unpacked_size;
  }
}

}  // namespace

LockFile resolve(const BuildManifest& manifest, const ResolveOptions& options,
                 const Sources& sources, Store& store, Progress& progress) {
  require_known_updates(options);
  if (sources.offline && asks_outside(manifest)) {
    throw UnavailableError(ErrorText{
        .message = "cannot lock offline, the package index and the Debian mirror are asked",
        .hint = "run it without --offline"});
  }
  const std::unique_ptr<TempDir> work = store.temp_dir("resolve-");
  LockFile lock;
  lock.manifest_name = manifest.name + ":" + manifest.tag;
  lock.manifest_checksum = manifest.checksum();
  lock.output_version = kOutputVersion;
  lock.output_format = output_format();
  take_bases(manifest, lock);
  resolve_debs(manifest, options, sources, work->path(), progress, lock);
  resolve_wheels(manifest, options, sources, store.uv_cache(), work->path(), progress, lock);
  fetch_artifacts(sources, store, progress, lock);

  PromiseEvidence evidence;
  evidence.lock = &lock;
  evidence.read = [&](const LockedWheel& wheel, const std::string& member) {
    return Wheel::open(store.open_file(wheel.sha256), wheel.file).read(member);
  };
  evidence.cuda_variants = known_cuda_variants;
  lock.verified = prove_promises(manifest, evidence);
  lock.created = newest_date(manifest, lock);
  return lock;
}

}  // namespace img
