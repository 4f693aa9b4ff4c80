// SPDX-License-Identifier: Apache-2.0
// COMPAT-NOTE: a forward-compatibility libcuda serves the promised driver, and none else is used.

#include "builder/base/json.h"
#include "builder/base/text.h"
#include "validators/checks/driver_files.h"

#include <algorithm>

namespace img {
namespace {

/// What the note says; members that it does not have stay empty.
struct CompatNote {
  std::string cuda;
  std::vector<std::string> branches;
};

std::optional<CompatNote> parse_note(const std::string& text, const std::string& path) {
  try {
    const Json json = parse_json(text, path);
    if (!json.is_object()) return std::nullopt;
    CompatNote note;
    if (const auto cuda = json.find("CUDA Version"); cuda != json.end() && cuda->is_string()) {
      note.cuda = cuda->get<std::string>();
    }
    if (const auto drivers = json.find("Driver"); drivers != json.end() && drivers->is_array()) {
      for (const Json& branch : *drivers) {
        if (!branch.is_number_unsigned()) return std::nullopt;
        note.branches.push_back(std::to_string(branch.get<std::uint64_t>()));
      }
    }
    return note;
  } catch (const InputError&) {
    return std::nullopt;
  }
}

/// Files "libcuda.so.<version>" of compat folders; links to them are not counted.
std::vector<std::string> compat_files(const ImageFacts& image) {
  std::vector<std::string> found;
  for (const auto& [path, file] : image.files) {
    if (file.kind == FileKind::file && base_name(path).starts_with("libcuda.so") &&
        is_compat_path(path)) {
      found.push_back(path);
    }
  }
  return found;
}

void judge_search_path(const CheckContext& context, const std::string& path,
                       std::vector<Finding>& findings) {
  std::string how;
  for (const SearchFolder& search : search_folders(context.view)) {
    std::string real;
    const FileFact* folder = context.image().resolve(search.folder, &real);
    if (search.folder == folder_of(path) || (folder != nullptr && real == folder_of(path))) {
      how = search.named_by;
    }
  }
  if (how.empty()) {
    const auto process = context.processes.bare();
    const ResolvedLibrary found = process->open("libcuda.so.1", context.processes.python());
    if (found.path == path) how = found.how;
  }
  if (how.empty()) return;
  findings.push_back(compared(fail_finding(context,
                                           "'" + path + "' is on a search path (" + how +
                                               "), so it is used on hosts that it does not serve",
                                           path),
                              "the container toolkit decides", how));
}

void judge_branches(const CheckContext& context, const std::string& path,
                    std::vector<Finding>& findings) {
  const auto elf = context.image().elf.find(path);
  if (elf == context.image().elf.end() || !elf->second.cuda_compat_note) {
    findings.push_back(warn_finding(
        context, "'" + path + "' has no note that says which drivers it serves", path));
    return;
  }
  const auto note = parse_note(*elf->second.cuda_compat_note, path);
  if (!note) {
    findings.push_back(fail_finding(
        context, "the note of '" + path + "' that says which drivers it serves is not readable",
        path));
    return;
  }
  const std::string served = note->branches.empty() ? "no branch" : join(note->branches, " ");
  const std::string& driver = context.expectations.driver;
  if (driver.empty()) {
    findings.push_back(pass_finding(
        context, "'" + path + "' is for CUDA " + note->cuda + " on driver branches " + served,
        path));
    return;
  }
  const std::string branch = split(driver, '.').front();
  const bool serves =
      std::find(note->branches.begin(), note->branches.end(), branch) != note->branches.end();
  Finding finding =
      serves ? pass_finding(context, "'" + path + "' serves the promised driver", path)
             : fail_finding(context, "'" + path + "' does not serve the promised driver", path);
  findings.push_back(compared(std::move(finding), "branch " + branch + " of driver " + driver,
                              "branches " + served, "manifest, supports.driver"));
}

}  // namespace

CheckResult check_compat_note(const CheckContext& context) {
  const std::vector<std::string> files = compat_files(context.image());
  if (files.empty() && !context.view.has_cuda()) {
    return skip("COMPAT-NOTE", "the image has no CUDA libraries");
  }
  std::vector<Finding> findings;
  if (files.empty()) {
    findings.push_back(pass_finding(context, "the image brings no forward-compatibility libcuda"));
  }
  if (files.size() > 1) {
    findings.push_back(
        compared(fail_finding(context,
                              "several forward-compatibility libcuda files: the container toolkit "
                              "then uses none",
                              files.back()),
                 "at most one", join(files, ", ")));
  }
  for (const std::string& path : files) {
    judge_branches(context, path, findings);
    judge_search_path(context, path, findings);
  }
  return finish("COMPAT-NOTE", std::move(findings));
}

}  // namespace img
