// SPDX-License-Identifier: Apache-2.0
// IMG-LEFTOVER: files that building leaves behind and that nothing in a container uses.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

// A kind of leftover below this is untidy, not costly.
constexpr std::uint64_t kFailFrom = 64u << 10;

struct Kind {
  std::string name;
  std::vector<std::string> globs;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> table{
      {"lists of apt", {"/var/lib/apt/lists/**"}},
      {"caches of apt", {"/var/cache/apt/**"}},
      {"backups of dpkg and debconf", {"/var/lib/dpkg/*-old", "/var/cache/debconf/*-old"}},
      {"caches of dnf, yum and apk",
       {"/var/cache/dnf/**", "/var/cache/yum/**", "/var/cache/apk/**"}},
      {"caches of pip, uv and other programs",
       {"/root/.cache/**", "/home/*/.cache/**", "/root/.npm/**"}},
      {"archives of conda", {"/opt/conda/pkgs/**", "/root/miniconda3/pkgs/**"}},
      {"temporary files", {"/tmp/**", "/var/tmp/**"}},
      {"logs", {"/var/log/**"}},
      {"core dumps", {"/core", "/core.[0-9]*", "/**/core.[0-9]*"}},
      {"repositories of git", {"/.git/**", "/**/.git/**"}},
      {"files of editors", {"/**/*.swp", "/**/.DS_Store"}},
  };
  return table;
}

bool matches(const Kind& kind, const std::string& path) {
  return std::any_of(kind.globs.begin(), kind.globs.end(),
                     [&path](const std::string& glob) { return glob_match(glob, path); });
}

struct Found {
  std::uint64_t files = 0, bytes = 0;
  std::string example;
  std::uint64_t example_size = 0;

  void add(const std::string& path, std::uint64_t size) {
    if (files == 0 || size > example_size) {
      example = path;
      example_size = size;
    }
    ++files;
    bytes += size;
  }
};

void report(const CheckContext& context, const std::string& what, const Found& found,
            std::vector<Finding>& findings) {
  if (found.files == 0) return;
  const std::string message = what + " are left over: " + count_of(found.files, "file") + ", " +
                              human_size(found.bytes) + ", among them '" + found.example + "'";
  findings.push_back(found.bytes >= kFailFrom ? fail_finding(context, message, found.example)
                                              : warn_finding(context, message, found.example));
}

void judge_paths(const CheckContext& context, std::vector<Finding>& findings) {
  std::vector<Found> found(kinds().size());
  for (const auto& [path, file] : context.image().files) {
    if (file.kind != FileKind::file || file.size == 0) continue;
    for (std::size_t at = 0; at < kinds().size(); ++at) {
      if (matches(kinds()[at], path)) found[at].add(path, file.size);
    }
  }
  for (std::size_t at = 0; at < kinds().size(); ++at) {
    report(context, kinds()[at].name, found[at], findings);
  }
}

bool has_compiler(const ImageFacts& image) {
  constexpr std::array programs{"/usr/bin/gcc", "/usr/bin/cc", "/usr/bin/clang", "/usr/bin/ld"};
  return std::any_of(programs.begin(), programs.end(),
                     [&image](const char* path) { return image.resolve(path) != nullptr; });
}

/// Static archives serve a linker only. Those in a wheel are as its makers ship them, and those in
/// the system's folders belong to a compiler where there is one.
void judge_archives(const CheckContext& context, std::vector<Finding>& findings) {
  Found loose, shipped;
  const bool compiler = has_compiler(context.image());
  for (const auto& [path, file] : context.image().files) {
    if (file.kind != FileKind::file || !path.ends_with(".a") || file.size == 0) continue;
    const bool of_wheel = path.find("/site-packages/") != std::string::npos;
    const bool of_system = compiler && path.starts_with("/usr/lib/");
    (of_wheel || of_system ? shipped : loose).add(path, file.size);
  }
  report(context, "static archives", loose, findings);
  if (shipped.files == 0) return;
  findings.push_back(pass_finding(
      context,
      count_of(shipped.files, "static archive") + " of packages, " + human_size(shipped.bytes) +
          ", could be dropped by a recipe, the biggest is '" + shipped.example + "'",
      shipped.example));
}

}  // namespace

CheckResult check_leftovers(const CheckContext& context) {
  std::vector<Finding> findings;
  judge_paths(context, findings);
  judge_archives(context, findings);
  if (worst_of(findings) == Status::pass || findings.empty()) {
    findings.push_back(pass_finding(
        context, "none of " + count_of(context.image().files.size(), "path") +
                     " is a cache, list, log, temporary file, core dump or repository"));
  }
  return finish("IMG-LEFTOVER", std::move(findings));
}

}  // namespace img
