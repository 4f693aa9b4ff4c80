// SPDX-License-Identifier: Apache-2.0
// PY-PACKAGES: the installed distributions are the lock's, each once.

#include "validators/checks/check.h"

#include <algorithm>

namespace img {
namespace {

/// Distributions in the folder that the lock's wheels go into; without a manifest all of them.
std::vector<const InstalledPackage*> packages_of(const CheckContext& context) {
  const std::string venv = context.manifest() == nullptr ? "" : context.manifest()->venv();
  std::vector<const InstalledPackage*> packages;
  for (const InstalledPackage& package : context.view.packages()) {
    if (venv.empty() || package.site.starts_with(venv + "/")) packages.push_back(&package);
  }
  return packages;
}

void judge_twice(const CheckContext& context, const std::vector<const InstalledPackage*>& packages,
                 std::vector<Finding>& findings) {
  for (std::size_t at = 1; at < packages.size(); ++at) {
    const InstalledPackage& first = *packages[at - 1];
    const InstalledPackage& second = *packages[at];
    if (first.name != second.name || first.site != second.site) continue;
    findings.push_back(compared(
        fail_finding(context, "'" + second.name + "' is installed twice in '" + second.site + "'",
                     second.folder),
        "once", first.version + " and " + second.version));
  }
}

void judge_lock(const CheckContext& context, const LockFile& lock,
                const std::vector<const InstalledPackage*>& packages,
                std::vector<Finding>& findings) {
  const auto named = [&packages](const std::string& name) {
    const auto found =
        std::find_if(packages.begin(), packages.end(),
                     [&name](const InstalledPackage* package) { return package->name == name; });
    return found == packages.end() ? nullptr : *found;
  };
  std::uint64_t right = 0;
  for (const LockedWheel& wheel : lock.wheels) {
    const InstalledPackage* package = named(wheel.name);
    if (package == nullptr) {
      findings.push_back(compared(fail_finding(context, "'" + wheel.name + "' is not installed"),
                                  wheel.version, "not installed", "lock"));
    } else if (package->version != wheel.version) {
      findings.push_back(compared(
          fail_finding(context, "'" + wheel.name + "' is of another version", package->folder),
          wheel.version, package->version, "lock"));
    } else {
      ++right;
    }
  }
  for (const InstalledPackage* package : packages) {
    const bool locked =
        std::any_of(lock.wheels.begin(), lock.wheels.end(),
                    [&package](const LockedWheel& wheel) { return wheel.name == package->name; });
    if (locked) continue;
    findings.push_back(
        compared(fail_finding(context, "'" + package->name + "' is installed, but not of the lock",
                              package->folder),
                 "not installed", package->version, "lock"));
  }
  findings.push_back(pass_finding(context, count_of(right, "distribution") + " of " +
                                               std::to_string(lock.wheels.size()) +
                                               " are installed in the versions of the lock"));
}

}  // namespace

CheckResult check_python_packages(const CheckContext& context) {
  const std::vector<const InstalledPackage*> packages = packages_of(context);
  const LockFile* lock = context.input.lock;
  const bool wheels = lock != nullptr && !lock->wheels.empty();
  if (packages.empty() && !wheels) return skip("PY-PACKAGES", "the image has no Python packages");
  std::vector<Finding> findings;
  judge_twice(context, packages, findings);
  for (const InstalledPackage* package : packages) {
    if (!package->name.empty() && !package->version.empty()) continue;
    findings.push_back(fail_finding(
        context, "METADATA of '" + package->folder + "' names no distribution", package->folder));
  }
  if (lock != nullptr) {
    judge_lock(context, *lock, packages, findings);
  } else if (findings.empty()) {
    findings.push_back(pass_finding(context, count_of(packages.size(), "distribution") +
                                                 ", each once; " + kNoManifest +
                                                 ", so there is no lock to compare with"));
  }
  return finish("PY-PACKAGES", std::move(findings));
}

}  // namespace img
