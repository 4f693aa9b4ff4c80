// SPDX-License-Identifier: Apache-2.0
// ELF-CLOSURE: every library that a file needs is found by a simulated loader.

#include "validators/checks/check.h"
#include "validators/checks/known_misses.h"

#include <algorithm>
#include <array>
#include <set>

namespace img {
namespace {

std::string soname_of(const ImageFacts& image, const std::string& path) {
  const auto elf = image.elf.find(path);
  return elf == image.elf.end() || elf->second.soname.empty() ? base_name(path)
                                                              : elf->second.soname;
}

/// Counts what was resolved, and judges what was not.
class Closure {
 public:
  explicit Closure(const CheckContext& context) : context_(context) {}

  std::vector<Finding> run() {
    for (const std::string& path : context_.processes.objects()) {
      for (const ResolvedLibrary& library : context_.processes.alone(path).needed) {
        if (!library.path.empty()) linked_.insert(library.path);
      }
    }
    for (const std::string& path : context_.processes.objects()) {
      for (const ResolvedLibrary& library : context_.processes.alone(path).needed) {
        if (library.path.empty()) {
          judge_miss(path, library.name);
        } else {
          ++resolved_;
        }
      }
    }
    findings_.push_back(pass_finding(
        context_, count_of(resolved_, "need") + " of " +
                      count_of(context_.processes.objects().size(), "object") + " are resolved"));
    add_opened_names();
    add_torch_examples();
    return std::move(findings_);
  }

 private:
  /// A library may serve an object only because something else is loaded before it: then the
  /// parents' RPATH or the loaded torch resolves the name.
  void judge_miss(const std::string& path, const std::string& name) {
    if (is_brought_by_driver(name)) {
      note("'" + base_name(path) + "' needs '" + name + "', which the host's driver brings", path);
    } else if (const char* reason = linked_.contains(path) ? nullptr : known_miss(path, name)) {
      note("'" + base_name(path) + "' lacks '" + name + "', known: " + reason, path);
    } else if (const auto found = context_.processes.found_somewhere().find({path, name});
               found != context_.processes.found_somewhere().end()) {
      note("'" + base_name(path) + "' finds '" + name + "' through the objects that load it", path);
    } else if (found_after_torch(path, name)) {
      note("'" + base_name(path) + "' finds '" + name + "' once torch is loaded", path);
    } else {
      fail_missing(path, name);
    }
  }

  bool found_after_torch(const std::string& path, const std::string& name) const {
    if (path.find("/site-packages/") == std::string::npos) return false;
    const auto process = context_.processes.with_torch();
    return process != nullptr && !process->open(name, path).path.empty();
  }

  void fail_missing(const std::string& path, const std::string& name) {
    Finding finding =
        fail_finding(context_, "'" + path + "' needs '" + name + "', which no loader finds", path);
    const ElfFacts& elf = context_.image().elf.at(path);
    finding.expected = name;
    finding.actual = "not found";
    finding.source = !elf.runpath.empty() ? "NEEDED; RUNPATH " + elf.runpath
                     : !elf.rpath.empty() ? "NEEDED; RPATH " + elf.rpath
                                          : "NEEDED; no run path";
    findings_.push_back(std::move(finding));
  }

  void note(std::string message, const std::string& path) {
    findings_.push_back(pass_finding(context_, std::move(message), path));
  }

  /// Names that a library opens by itself and does not work without.
  void add_opened_names() {
    struct Opened {
      std::string_view asker, stem;
    };
    constexpr std::array<Opened, 3> kOpened{{
        {"libnvrtc.so", "libnvrtc-builtins.so"},
        {"libtorch_cuda.so", "libtorch_cuda_linalg.so"},
        {"libtorch_cuda.so", "libcaffe2_nvrtc.so"},
    }};
    for (const std::string& path : context_.processes.objects()) {
      const ElfFacts& elf = context_.image().elf.at(path);
      const std::string soname = soname_of(context_.image(), path);
      for (const std::string& name : elf.library_names) {
        if (std::any_of(kOpened.begin(), kOpened.end(), [&](const Opened& row) {
              return soname.starts_with(row.asker) && name.starts_with(row.stem);
            })) {
          judge_opened(path, name);
        }
      }
    }
  }

  void judge_opened(const std::string& path, const std::string& name) {
    LoaderSimulation process(context_.image(), context_.view.library_path());
    process.load(path);
    const ResolvedLibrary found = process.open(name, path);
    if (!found.path.empty()) {
      note("'" + base_name(path) + "' would open '" + name + "' as '" + found.path + "' (" +
               found.how + ")",
           path);
    } else {
      findings_.push_back(
          compared(fail_finding(context_,
                                "'" + path + "' opens '" + name + "', which no loader finds", path),
                   name, "not found", "names in the file"));
    }
  }

  /// Which files torch gets: the evidence that people look for.
  void add_torch_examples() {
    for (const ResolvedLibrary& library : context_.processes.torch_libraries()) {
      if (library.how == "already loaded" || library.path.empty()) continue;
      if (!cuda_family_of(base_name(library.name))) continue;
      note("torch's process maps '" + library.name + "' from '" + library.path + "' (" +
               library.how + ")",
           library.path);
    }
  }

  const CheckContext& context_;
  std::set<std::string> linked_;  // objects that others need
  std::uint64_t resolved_ = 0;
  std::vector<Finding> findings_;
};

}  // namespace

CheckResult check_closure(const CheckContext& context) {
  if (context.processes.objects().empty()) {
    return skip("ELF-CLOSURE", "the image has no dynamically linked x86-64 file");
  }
  if (!context.image().elf_problems.empty()) {
    // A file that is no readable ELF file cannot be loaded either; it is named, not guessed about.
    std::vector<Finding> findings = Closure(context).run();
    for (const auto& [path, problem] : context.image().elf_problems) {
      findings.push_back(warn_finding(context, "'" + path + "' is no readable ELF file", path));
      findings.back().actual = problem;
    }
    return finish("ELF-CLOSURE", std::move(findings));
  }
  return finish("ELF-CLOSURE", Closure(context).run());
}

}  // namespace img
