// SPDX-License-Identifier: Apache-2.0
// Runs the loader simulation for the processes that checks ask about.

#include "validators/checks/processes.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::uint16_t kX86_64 = 62;

bool is_loadable(const ElfFacts& elf) {
  return elf.machine == kX86_64 && elf.is_64 && elf.has_dynamic;
}

/// The first `python3` or `python` on PATH, links followed.
std::string find_python(const ImageView& view) {
  for (const std::string& folder : search_path(view)) {
    for (const char* name : {"/python3", "/python"}) {
      std::string real;
      const FileFact* file = view.image().resolve(folder + name, &real);
      if (file != nullptr && file->kind == FileKind::file && view.image().elf.contains(real)) {
        return real;
      }
    }
  }
  return {};
}

}  // namespace

Processes::Processes(const ImageView& view) : view_(view), python_(find_python(view)) {
  for (const auto& [path, elf] : view.image().elf) {
    if (is_loadable(elf)) objects_.push_back(path);
  }
}

Processes::~Processes() = default;

const LoadedAlone& Processes::alone(const std::string& path) const {
  const auto known = alone_.find(path);
  if (known != alone_.end()) return known->second;
  LoaderSimulation process(view_.image(), view_.library_path());
  process.load(path);
  LoadedAlone result;
  result.loaded.push_back(path);
  for (const ResolvedLibrary& library : process.resolutions()) {
    if (library.asker == path && library.name != path) result.needed.push_back(library);
    if (!library.path.empty() && std::find(result.loaded.begin(), result.loaded.end(),
                                           library.path) == result.loaded.end()) {
      result.loaded.push_back(library.path);
    }
  }
  return alone_.emplace(path, std::move(result)).first->second;
}

const std::map<std::pair<std::string, std::string>, std::string>& Processes::found_somewhere()
    const {
  if (somewhere_) return *somewhere_;
  somewhere_.emplace();
  for (const std::string& path : objects_) {
    LoaderSimulation process(view_.image(), view_.library_path());
    process.load(path);
    for (const ResolvedLibrary& library : process.resolutions()) {
      // The asker's path is as it was found, which may be through links.
      std::string asker;
      if (library.path.empty() || view_.image().resolve(library.asker, &asker) == nullptr) continue;
      somewhere_->try_emplace({asker, library.name}, library.path);
    }
  }
  return *somewhere_;
}

std::unique_ptr<LoaderSimulation> Processes::bare() const {
  auto process = std::make_unique<LoaderSimulation>(view_.image(), view_.library_path());
  if (!python_.empty()) process->load(python_);
  return process;
}

std::unique_ptr<LoaderSimulation> Processes::with_torch() const {
  if (!view_.torch()) return nullptr;
  auto process = bare();
  // `import torch` opens the first for its needs alone, and the others with torch._C.
  constexpr std::array names{"libtorch_global_deps.so", "libtorch_python.so", "libtorch_cuda.so",
                             "libtorch_cpu.so"};
  for (const char* name : names) {
    const std::string path = view_.torch()->folder + "/lib/" + name;
    if (view_.image().elf.contains(path)) process->load(path);
  }
  return process;
}

const std::vector<ResolvedLibrary>& Processes::torch_libraries() const {
  if (torch_) return *torch_;
  const auto process = with_torch();
  torch_ = process ? process->resolutions() : std::vector<ResolvedLibrary>{};
  return *torch_;
}

}  // namespace img
