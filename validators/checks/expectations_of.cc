// SPDX-License-Identifier: Apache-2.0
// What an image is held against: promises of manifest and lock, and facts that the files tell.

#include "validators/checks/image_view.h"
#include "validators/checks/processes.h"
#include "validators/checks/static_tier.h"

#include <algorithm>
#include <array>
#include <set>

namespace img {
namespace {

void add_promises(const BuildManifest& manifest, Expectations& expectations) {
  expectations.manifest_name = manifest.name + ":" + manifest.tag;
  expectations.manifest_checksum = manifest.checksum();
  expectations.versions = manifest.versions;
  expectations.size_compressed = manifest.checks.size_compressed;
  expectations.size_unpacked = manifest.checks.size_unpacked;
  expectations.import_torch_seconds = manifest.checks.import_torch_seconds;
  expectations.gpus = manifest.supports.gpus;
  expectations.driver = manifest.supports.driver;
}

/// Whether `path` leads to a file of the image that may be executed.
bool is_program(const ImageFacts& image, const std::string& path) {
  const FileFact* file = image.resolve(path);
  return file != nullptr && file->kind == FileKind::file && (file->mode & 0111) != 0;
}

/// The venv's interpreter, else the manifest's, else the first on PATH. The path as it is called,
/// not its target: a venv is known by the link.
std::string interpreter_of(const ImageView& view, const BuildManifest* manifest) {
  std::vector<std::string> candidates;
  if (manifest != nullptr && !manifest->venv().empty()) {
    candidates.push_back(manifest->venv() + "/bin/python3");
  }
  if (manifest != nullptr && manifest->python() != nullptr) {
    candidates.push_back(manifest->python()->path);
  }
  for (const std::string& folder : search_path(view)) candidates.push_back(folder + "/python3");
  for (const std::string& path : candidates) {
    if (is_program(view.image(), path)) return path;
  }
  return {};
}

/// torch.compile needs a C++ compiler at run time, and the C compiler for triton's launcher.
bool can_compile(const ImageView& view) {
  if (!view.torch()) return false;
  const auto has = [&view](std::string_view name) {
    const std::vector<std::string> folders = search_path(view);
    return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
      return is_program(view.image(), folder + "/" + std::string(name));
    });
  };
  return has("g++") || has("clang++") || has("c++");
}

/// Libraries of torch and CUDA that a process with torch maps, and those that cuDNN opens by name.
std::vector<ExpectedLibrary> libraries_of(const ImageView& view, const Processes& processes) {
  std::vector<ExpectedLibrary> libraries;
  std::set<std::string> seen;
  const auto add = [&](const std::string& path) {
    if (path.empty() || !seen.insert(path).second) return;
    const auto elf = view.image().elf.find(path);
    if (elf == view.image().elf.end()) return;
    const std::string name = elf->second.soname.empty() ? base_name(path) : elf->second.soname;
    const bool of_torch = view.torch() && path.starts_with(view.torch()->folder + "/lib/");
    if (of_torch || cuda_family_of(name)) libraries.push_back({name, path});
  };
  for (const ResolvedLibrary& library : processes.torch_libraries()) add(library.path);
  for (const CudnnPart& part : cudnn_parts(view, processes)) add(part.path);
  if (!view.torch()) {
    for (const CudaLibrary& library : view.cuda_libraries()) add(library.path);
  }
  std::sort(libraries.begin(), libraries.end(),
            [](const ExpectedLibrary& left, const ExpectedLibrary& right) {
              return std::pair(left.soname, left.path) < std::pair(right.soname, right.path);
            });
  return libraries;
}

/// Versions of the distributions that bring CUDA's libraries; none when two builds are installed.
std::map<std::string, std::string> library_versions_of(const ImageView& view) {
  std::map<std::string, std::string> versions;
  for (const auto& [library, distribution] : cuda_distributions()) {
    const auto found = view.variants(distribution);
    if (found.size() == 1) versions[library] = found.front()->version;
  }
  return versions;
}

}  // namespace

Expectations expectations_of(const StaticInput& input) {
  Expectations expectations;
  if (input.manifest != nullptr) add_promises(*input.manifest, expectations);
  if (input.lock != nullptr) {
    for (const LockedWheel& wheel : input.lock->wheels) {
      expectations.packages.push_back({wheel.name, wheel.version});
    }
  }
  const ImageView view(input.image);
  const Processes processes(view);
  expectations.python = interpreter_of(view, input.manifest);
  expectations.compile = can_compile(view);
  if (view.torch()) {
    expectations.torch_folder = view.torch()->folder;
    expectations.torch_version = view.torch()->version;
    expectations.torch_cuda = view.torch()->cuda;
  }
  expectations.libraries = libraries_of(view, processes);
  expectations.library_versions = library_versions_of(view);
  return expectations;
}

}  // namespace img
