// SPDX-License-Identifier: Apache-2.0
// Finds the libraries of cuDNN as its dispatcher would find them.

#include "builder/base/text.h"
#include "validators/checks/processes.h"

#include <algorithm>
#include <set>

namespace img {
namespace {

/// Parts of cuDNN that it opens by name. Those of 9 are in every release of it so far; a later one
/// may have more, which its own files name.
std::vector<std::string> known_stems(const std::string& major) {
  if (major == "8") {
    return {"libcudnn_ops_infer", "libcudnn_ops_train", "libcudnn_cnn_infer",
            "libcudnn_cnn_train", "libcudnn_adv_infer", "libcudnn_adv_train"};
  }
  return {"libcudnn_graph",
          "libcudnn_ops",
          "libcudnn_cnn",
          "libcudnn_adv",
          "libcudnn_heuristic",
          "libcudnn_engines_precompiled",
          "libcudnn_engines_runtime_compiled"};
}

/// "9.10.2" of "libcudnn.so.9.10.2"; empty without one.
std::string version_in(std::string_view name) {
  const std::size_t at = name.find(".so.");
  return at == std::string_view::npos ? std::string() : std::string(name.substr(at + 4));
}

/// ".so.9.10.2", ".so.9.10", ".so.9", ".so"
std::vector<std::string> suffixes(const std::string& version) {
  std::vector<std::string> parts = split(version, '.');
  if (parts.size() > 3) parts.resize(3);
  std::vector<std::string> result;
  for (; !parts.empty(); parts.pop_back()) result.push_back(".so." + join(parts, "."));
  result.emplace_back(".so");
  return result;
}

std::string dispatcher_of(const ImageView& view, const Processes& processes) {
  for (const ResolvedLibrary& library : processes.torch_libraries()) {
    if (library.name.starts_with("libcudnn.so") && !library.path.empty()) return library.path;
  }
  for (const CudaLibrary& library : view.cuda_libraries()) {
    if (library.soname.starts_with("libcudnn.so")) return library.path;
  }
  return {};
}

/// The version by which cuDNN spells the names that it opens: its own.
std::string version_of(const ImageView& view, const std::string& dispatcher) {
  const std::string by_name = version_in(base_name(dispatcher));
  if (split(by_name, '.').size() > 1) return by_name;
  for (const InstalledPackage* package : view.variants("nvidia-cudnn")) {
    if (dispatcher.starts_with(package->site + "/")) return package->version;
  }
  const auto elf = view.image().elf.find(dispatcher);
  return elf == view.image().elf.end() ? by_name : version_in(elf->second.soname);
}

/// Stems of "libcudnn_….so" names in cuDNN's own files.
void add_named_stems(const ImageView& view, std::vector<std::string>& stems) {
  for (const CudaLibrary& library : view.cuda_libraries()) {
    if (library.family != "cudnn") continue;
    for (const std::string& name : view.image().elf.at(library.path).library_names) {
      const std::string stem = name.substr(0, name.find(".so"));
      if (stem.starts_with("libcudnn_") &&
          std::find(stems.begin(), stems.end(), stem) == stems.end()) {
        stems.push_back(stem);
      }
    }
  }
}

}  // namespace

std::vector<CudnnPart> cudnn_parts(const ImageView& view, const Processes& processes) {
  const std::string dispatcher = dispatcher_of(view, processes);
  if (dispatcher.empty()) return {};
  auto process = processes.with_torch();
  if (process == nullptr) process = processes.bare();
  process->load(dispatcher);
  const std::string version = version_of(view, dispatcher);
  std::vector<std::string> stems = known_stems(split(version, '.').front());
  add_named_stems(view, stems);

  std::vector<CudnnPart> parts{{"libcudnn", base_name(dispatcher), dispatcher, "loaded first"}};
  for (const std::string& stem : stems) {
    CudnnPart part{.stem = stem, .name = {}, .path = {}, .how = {}};
    for (const std::string& suffix : suffixes(version)) {
      part.name = stem + suffix;
      const ResolvedLibrary found = process->open(part.name, dispatcher);
      part.path = found.path;
      part.how = found.how;
      if (!part.path.empty()) break;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace img
