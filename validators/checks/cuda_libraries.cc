// SPDX-License-Identifier: Apache-2.0
// LIB-ONECOPY: of each CUDA library one file is reachable, whoever looks for it.

#include "builder/base/text.h"
#include "validators/checks/check.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

/// A file that a loader would map for a soname, and by which way.
struct Reached {
  std::string path, how;
};

class Copies {
 public:
  explicit Copies(const CheckContext& context) : context_(context) {
    for (const CudaLibrary& library : context.view.cuda_libraries()) {
      copies_[library.soname].insert(library.path);
    }
    for (const std::string& path : context.processes.objects()) {
      for (const ResolvedLibrary& one : context.processes.alone(path).needed) reach(one);
    }
    for (const ResolvedLibrary& one : context.processes.torch_libraries()) reach(one);
    for (const CudnnPart& part : cudnn_parts(context.view, context.processes)) {
      reach({.name = part.name, .asker = {}, .path = part.path, .how = part.how});
    }
    for (const auto& [soname, paths] : copies_) {
      // A process of its own: what is loaded already would hide what the folders lead to.
      reach(context.processes.bare()->open(soname, context.processes.python()));
    }
  }

  std::vector<Finding> run() {
    for (const auto& [soname, paths] : copies_) judge(soname, paths);
    judge_majors();
    return std::move(findings_);
  }

 private:
  void reach(const ResolvedLibrary& one) {
    const auto elf = context_.image().elf.find(one.path);
    if (one.path.empty() || elf == context_.image().elf.end()) return;
    const std::string soname =
        elf->second.soname.empty() ? base_name(one.path) : elf->second.soname;
    if (!copies_.contains(soname)) return;
    std::vector<Reached>& known = reached_[soname];
    const auto same = std::find_if(known.begin(), known.end(),
                                   [&one](const Reached& other) { return other.path == one.path; });
    if (same == known.end()) {
      known.push_back({one.path, one.how});
    } else if (same->how == "already loaded") {
      same->how = one.how;
    }
  }

  void judge(const std::string& soname, const std::set<std::string>& paths) {
    const std::vector<Reached>& reached = reached_[soname];
    if (reached.size() > 1) {
      for (std::size_t at = 1; at < reached.size(); ++at) {
        findings_.push_back(
            compared(fail_finding(context_,
                                  "a second '" + soname + "' is reachable: '" + reached[at].path +
                                      "' (" + reached[at].how + ")",
                                  reached[at].path),
                     reached[0].path, reached[at].path, reached[0].how));
      }
      return;
    }
    std::string message =
        reached.empty()
            ? "'" + soname + "' is opened by path only, '" + *paths.begin() + "'"
            : "'" + soname + "' is '" + reached[0].path + "' alone (" + reached[0].how + ")";
    std::vector<std::string> others;
    for (const std::string& path : paths) {
      const bool named = reached.empty() ? path == *paths.begin() : path == reached[0].path;
      if (!named) others.push_back("'" + path + "'");
    }
    if (!others.empty()) message += "; on no search path: " + join(others, ", ");
    findings_.push_back(pass_finding(context_, std::move(message),
                                     reached.empty() ? *paths.begin() : reached[0].path));
  }

  /// Two majors of one library in one process have two states and two device numberings.
  void judge_majors() {
    std::map<std::string, std::map<std::string, std::string>> by_stem;
    for (const ResolvedLibrary& one : context_.processes.torch_libraries()) {
      const auto elf = context_.image().elf.find(one.path);
      if (one.path.empty() || elf == context_.image().elf.end()) continue;
      const std::string& soname = elf->second.soname;
      if (cuda_family_of(soname)) by_stem[soname.substr(0, soname.find(".so"))][soname] = one.path;
    }
    for (const auto& [stem, sonames] : by_stem) {
      if (sonames.size() < 2) continue;
      const auto& [soname, path] = *sonames.rbegin();
      findings_.push_back(compared(
          fail_finding(context_, "torch's process maps two majors of '" + stem + "'", path),
          sonames.begin()->second, path));
    }
  }

  const CheckContext& context_;
  std::map<std::string, std::set<std::string>> copies_;
  std::map<std::string, std::vector<Reached>> reached_;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_one_copy(const CheckContext& context) {
  return finish("LIB-ONECOPY", Copies(context).run());
}

}  // namespace img
