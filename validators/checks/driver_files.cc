// SPDX-License-Identifier: Apache-2.0
// Tells driver files, stubs and compat libraries apart by name and folder.

#include "validators/checks/driver_files.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>

namespace img {
namespace {

constexpr std::array<std::string_view, 18> kLibraries{
    "libcuda",
    "libcudadebugger",
    "libnvidia-ml",
    "libnvidia-ptxjitcompiler",
    "libnvidia-nvvm",
    "libnvidia-nvvm70",
    "libnvidia-opencl",
    "libnvidia-allocator",
    "libnvidia-cfg",
    "libnvidia-encode",
    "libnvidia-fbc",
    "libnvidia-opticalflow",
    "libnvidia-compiler",
    "libnvidia-fatbinaryloader",
    "libnvidia-gpucomp",
    "libnvcuvid",
    "libGLX_nvidia",
    "libEGL_nvidia",
};
constexpr std::array<std::string_view, 4> kPrograms{
    "nvidia-smi", "nvidia-debugdump", "nvidia-persistenced", "nvidia-cuda-mps-server"};

bool has_folder(std::string_view path, std::string_view name) {
  const std::vector<std::string> parts = split(path, '/');
  return std::find(parts.begin(), parts.end() - 1, name) != parts.end() - 1;
}

}  // namespace

bool is_driver_file(std::string_view path) {
  const std::string name = base_name(path);
  const bool library = std::any_of(
      kLibraries.begin(), kLibraries.end(),
      [&name](std::string_view stem) { return name.starts_with(std::string(stem) + ".so"); });
  const bool program = std::find(kPrograms.begin(), kPrograms.end(), name) != kPrograms.end() &&
                       folder_of(path).ends_with("/bin");
  return library || program;
}

bool is_stub_path(std::string_view path) { return has_folder(path, "stubs"); }

bool is_compat_path(std::string_view path) {
  return has_folder(path, "compat") || has_folder(path, "compat_orin");
}

std::vector<SearchFolder> search_folders(const ImageView& view) {
  std::vector<SearchFolder> folders;
  for (const std::string& folder : split(view.library_path(), ':')) {
    if (!folder.empty()) folders.push_back({folder, "LD_LIBRARY_PATH"});
  }
  // The container toolkit runs ldconfig when a container starts, so a folder counts even while the
  // cache in the image does not know it.
  for (const auto& [path, text] : view.image().texts) {
    if (path != "/etc/ld.so.conf" && !path.starts_with("/etc/ld.so.conf.d/")) continue;
    for (const std::string& raw : split(text, '\n')) {
      const std::string_view line = trim(std::string_view(raw).substr(0, raw.find('#')));
      if (line.starts_with('/')) folders.push_back({std::string(line), path});
    }
  }
  return folders;
}

}  // namespace img
