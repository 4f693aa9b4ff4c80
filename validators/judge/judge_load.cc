// SPDX-License-Identifier: Apache-2.0
// Judges loading: does torch load at all, and from which files.
#include "validators/judge/container_checks.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace img {
namespace {

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "libcudnn" of "/a/libcudnn.so.9.10.2": what two versions of one library have in common.
std::string_view stem_of(std::string_view path) {
  const std::string_view name = base_name(path);
  return name.substr(0, name.find(".so"));
}

/// Libraries of which a process must have one copy only: two of them have two states of one GPU.
bool is_single_copy(std::string_view stem) {
  constexpr std::array<std::string_view, 7> kFamilies{"libcu",  "libnv",  "libnccl",  "libtorch",
                                                      "libc10", "libshm", "libcaffe2"};
  return std::any_of(kFamilies.begin(), kFamilies.end(),
                     [&](std::string_view family) { return stem.starts_with(family); });
}

std::set<std::string> mapped_files(const ProbeRun& run) {
  std::set<std::string> files;
  for (const Json* event : events_named(run, "mapped")) {
    if (auto path = text_of(*event, "path")) files.insert(std::move(*path));
  }
  return files;
}

/// A file whose opening began and never ended: it took the process with it.
void judge_unfinished(const ProbeRun& run, Judgement& judgement) {
  std::string path;
  for (const Json& event : run.events) {
    if (is_event(event, "opening")) path = text_or(event, "path", "");
    if (is_event(event, "open")) path.clear();
  }
  if (path.empty()) return;
  judgement.fail("'" + std::string(base_name(path)) +
                     "' or a library that it needs ends the process that loads it in '" +
                     run.label + "'",
                 {}, path);
}

/// True when the run says that it loaded something.
bool judge_opens(const ProbeRun& run, Judgement& judgement) {
  bool any = false;
  for (const Json* event : events_named(run, "open")) {
    const std::string path = text_or(*event, "path", "");
    any = true;
    if (flag_of(*event, "ok").value_or(false)) {
      judgement.pass("'" + std::string(base_name(path)) + "' loads in '" + run.label + "'",
                     time_text(number_of(*event, "seconds").value_or(-1)), path);
    } else {
      judgement.fail(
          "'" + std::string(base_name(path)) + "' cannot be loaded in '" + run.label + "'",
          text_or(*event, "error", "no reason given"), path);
    }
  }
  for (const Json* event : events_named(run, "import")) {
    any = true;
    if (flag_of(*event, "ok").value_or(false)) {
      judgement.pass("'import torch' works in '" + run.label + "'",
                     time_text(number_of(*event, "seconds").value_or(-1)));
    } else {
      judgement.fail("'import torch' fails in '" + run.label + "'",
                     text_or(*event, "error", "no reason given"));
    }
  }
  return any;
}

void judge_sub_libraries(const ProbeRun& run, Judgement& judgement) {
  for (const Json* event : events_named(run, "call")) {
    const std::string function = text_or(*event, "function", "");
    const std::optional<std::int64_t> rc = integer_of(*event, "rc");
    if (rc == 0) continue;
    judgement.fail("cuDNN's sub-libraries do not fit together: '" + function + "' says so in '" +
                       run.label + "'",
                   rc ? std::to_string(*rc) : "no number");
  }
}

void judge_one_copy(const ProbeRun& run, const std::set<std::string>& files, Judgement& judgement) {
  std::map<std::string, std::vector<std::string>> copies;
  for (const std::string& file : files) {
    if (is_single_copy(stem_of(file))) copies[std::string(stem_of(file))].push_back(file);
  }
  std::size_t single = 0;
  for (const auto& [stem, paths] : copies) {
    if (paths.size() == 1) {
      ++single;
      continue;
    }
    judgement.fail("'" + stem + "' is mapped from " + std::to_string(paths.size()) + " files in '" +
                       run.label + "'",
                   paths[0] + ", " + paths[1], paths[0]);
  }
  if (single > 0) {
    judgement.pass(std::to_string(single) +
                   " libraries of torch and CUDA are mapped from one file "
                   "each in '" +
                   run.label + "'");
  }
}

void judge_cudnn_folder(const ProbeRun& run, const std::set<std::string>& files,
                        Judgement& judgement) {
  std::set<std::string> folders;
  for (const std::string& file : files) {
    if (stem_of(file).starts_with("libcudnn")) folders.insert(file.substr(0, file.rfind('/')));
  }
  if (folders.size() > 1) {
    judgement.fail("cuDNN's parts come from " + std::to_string(folders.size()) + " folders in '" +
                       run.label + "'",
                   *folders.begin() + ", " + *std::next(folders.begin()), *folders.begin());
  }
}

/// The mapped file that answers to an expected library; empty: none was loaded.
std::string mapped_for(const ExpectedLibrary& library, const std::set<std::string>& files) {
  if (files.contains(library.path)) return library.path;
  const std::string_view stem = stem_of(library.soname);
  for (const std::string& file : files) {
    const std::string_view name = base_name(file);
    if (name == library.soname || name == base_name(library.path)) return file;
    if (is_single_copy(stem) && stem_of(file) == stem) return file;
  }
  return {};
}

/// Number of libraries that are mapped from the file of the simulated loader.
std::size_t judge_expected(const ProbeRun& run, const std::vector<ExpectedLibrary>& libraries,
                           const std::set<std::string>& files, Judgement& judgement) {
  std::size_t as_expected = 0;
  for (const ExpectedLibrary& library : libraries) {
    const std::string file = mapped_for(library, files);
    if (file.empty()) continue;  // loaded on demand only
    if (file == library.path) {
      ++as_expected;
      continue;
    }
    judgement.findings.push_back(
        {.status = Status::fail,
         .message = "'" + library.soname + "' comes from another file in '" + run.label + "'",
         .path = file,
         .expected = library.path,
         .actual = file,
         .source = "simulated loader"});
  }
  return as_expected;
}

/// A torch that lies somewhere else, in a user's site-packages for instance, was imported instead.
void judge_torch_folder(const ContainerInput& input, const ProbeRun& run, Judgement& judgement) {
  for (const Json* event : events_named(run, "torch")) {
    const std::string folder = text_or(*event, "folder", "");
    const bool same = folder == input.expectations.torch_folder;
    judgement.findings.push_back({.status = same ? Status::pass : Status::fail,
                                  .message = same ? "'import torch' takes the torch of the image"
                                                  : "'import torch' takes another torch",
                                  .path = folder,
                                  .expected = input.expectations.torch_folder,
                                  .actual = folder,
                                  .source = "files of the image"});
  }
}

}  // namespace

Judgement judge_load_torch(const ContainerInput& input) {
  Judgement judgement;
  if (!input.options.library_path) {
    judgement.pass("LD_LIBRARY_PATH is not set: loading with and without it is the same");
  }
  for (const ProbeRun* run : usable_runs(input, "load")) {
    judge_children(*run, "loading torch", judgement);
    judge_unfinished(*run, judgement);
    judge_sub_libraries(*run, judgement);
    if (!judge_opens(*run, judgement) && worst_of(judgement.findings) != Status::fail) {
      judgement.blocked = "probe run '" + run->label + "' does not say what it loaded";
    }
  }
  return judgement;
}

Judgement judge_load_provenance(const ContainerInput& input) {
  Judgement judgement;
  for (const ProbeRun* run : usable_runs(input, "load")) {
    const std::set<std::string> files = mapped_files(*run);
    const bool torch = std::any_of(files.begin(), files.end(), [](const std::string& file) {
      return stem_of(file) == "libtorch_cpu";
    });
    if (!torch) {
      judgement.blocked = "torch was not mapped in probe run '" + run->label + "'";
      continue;
    }
    judge_torch_folder(input, *run, judgement);
    judge_one_copy(*run, files, judgement);
    judge_cudnn_folder(*run, files, judgement);
    const std::vector<ExpectedLibrary>& libraries = input.expectations.libraries;
    if (libraries.empty()) continue;
    const std::size_t count = judge_expected(*run, libraries, files, judgement);
    if (count > 0) {
      judgement.pass(std::to_string(count) +
                     " libraries are mapped from the files that the "
                     "simulated loader names in '" +
                     run->label + "'");
    }
  }
  return judgement;
}

}  // namespace img
