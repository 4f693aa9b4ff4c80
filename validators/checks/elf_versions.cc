// SPDX-License-Identifier: Apache-2.0
// ELF-VERSION: symbol versions that files need against those that the image's libraries define.

#include "builder/base/text.h"
#include "builder/manifest/compatibility.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

/// "GLIBC_2.28" → {"GLIBC", "2.28"}
std::pair<std::string, std::string> parts_of(const std::string& version) {
  const std::size_t at = version.rfind('_');
  if (at == std::string::npos) return {version, ""};
  return {version.substr(0, at), version.substr(at + 1)};
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.") == std::string::npos;
}

/// The highest version of a family, with who needs or defines it.
struct Highest {
  std::string version, path;
  void see(const std::string& number, const std::string& where) {
    if (version.empty() || compare_dotted(version, number) < 0) {
      version = number;
      path = where;
    }
  }
};

std::string highest_defined(const ElfFacts& elf, const std::string& family) {
  Highest highest;
  for (const std::string& version : elf.version_definitions) {
    const auto [name, number] = parts_of(version);
    if (name == family && is_number(number)) highest.see(number, "");
  }
  return highest.version.empty() ? "none" : family + "_" + highest.version;
}

class Versions {
 public:
  explicit Versions(const CheckContext& context) : context_(context) {}

  std::vector<Finding> run() {
    for (const std::string& path : context_.processes.objects()) judge_object(path);
    std::uint64_t others = 0;
    for (const auto& [key, highest] : needed_) {
      const auto& [provider, family] = key;
      if (is_of_compiler(family)) {
        add_evidence(provider, family, highest);
      } else {
        ++others;
      }
    }
    if (others != 0) {
      findings_.push_back(pass_finding(
          context_, count_of(others, "further set") +
                        " of versions that files need are defined by the libraries they load"));
    }
    return std::move(findings_);
  }

 private:
  /// Versions of the C and C++ runtime: what a base image has to be new enough for.
  static bool is_of_compiler(const std::string& family) {
    constexpr std::array names{"GLIBC", "GLIBCXX", "CXXABI", "GCC", "GOMP"};
    return std::find(names.begin(), names.end(), family) != names.end();
  }

  void add_evidence(const std::string& provider, const std::string& family,
                    const Highest& highest) {
    const ElfFacts& elf = context_.image().elf.at(provider);
    findings_.push_back(
        compared(pass_finding(context_,
                              "'" + provider + "' defines every " + family +
                                  " version that files need, the highest by '" + highest.path + "'",
                              provider),
                 family + "_" + highest.version, "up to " + highest_defined(elf, family),
                 "version needs of the files"));
  }

  void judge_object(const std::string& path) {
    const LoadedAlone& process = context_.processes.alone(path);
    for (const VersionNeed& need : context_.image().elf.at(path).version_needs) {
      const auto library =
          std::find_if(process.needed.begin(), process.needed.end(),
                       [&need](const ResolvedLibrary& one) { return one.name == need.library; });
      // A library that is not found is ELF-CLOSURE's, one of CUDA's is ELF-SYMS's.
      if (library == process.needed.end() || library->path.empty()) continue;
      if (cuda_family_of(need.library)) continue;
      judge_need(path, need, library->path);
    }
  }

  void judge_need(const std::string& path, const VersionNeed& need, const std::string& provider) {
    const auto elf = context_.image().elf.find(provider);
    if (elf == context_.image().elf.end() || elf->second.version_definitions.empty()) return;
    const std::vector<std::string>& defined = elf->second.version_definitions;
    const auto [family, number] = parts_of(need.version);
    if (std::find(defined.begin(), defined.end(), need.version) != defined.end()) {
      if (is_number(number)) needed_[{provider, family}].see(number, path);
      return;
    }
    Finding finding = fail_finding(context_,
                                   "'" + path + "' needs " + need.version + " of '" + need.library +
                                       "', which '" + provider + "' does not define",
                                   path);
    // The loader only warns about a weak need.
    if (need.weak) finding.status = Status::warn;
    findings_.push_back(compared(std::move(finding), need.version,
                                 "up to " + highest_defined(elf->second, family), provider));
  }

  const CheckContext& context_;
  std::map<std::pair<std::string, std::string>, Highest> needed_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_elf_versions(const CheckContext& context) {
  std::vector<Finding> findings = Versions(context).run();
  if (findings.empty()) {
    return skip("ELF-VERSION", "no file of the image needs a versioned symbol");
  }
  return finish("ELF-VERSION", std::move(findings));
}

}  // namespace img
