// SPDX-License-Identifier: Apache-2.0
// Reads environment, packages, torch and CUDA libraries out of the facts of an image.

#include "validators/checks/image_view.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace img {
namespace {

/// Stems of library names, longer ones before those that they begin with.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> kFamilies{{
    {"libcudart", "cudart"},
    {"libcudnn", "cudnn"},
    {"libcublasLt", "cublasLt"},
    {"libcublas", "cublas"},
    {"libnccl", "nccl"},
    {"libcufftw", "cufftw"},
    {"libcufft", "cufft"},
    {"libcurand", "curand"},
    {"libcusolverMg", "cusolverMg"},
    {"libcusolver", "cusolver"},
    {"libcusparseLt", "cusparseLt"},
    {"libcusparse", "cusparse"},
    {"libnvrtc-builtins", "nvrtc-builtins"},
    {"libnvrtc", "nvrtc"},
    {"libnvJitLink", "nvJitLink"},
    {"libcupti", "cupti"},
    {"libcufile", "cufile"},
    {"libnvshmem_host", "nvshmem"},
}};

/// Value of "name = '…'" or "name: type = '…'" at the start of a line; "" for None.
std::optional<std::string> assignment(std::string_view text, std::string_view name) {
  for (const std::string& line : split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    const std::string_view rest = std::string_view(line).substr(name.size());
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view between = trim(rest.substr(0, equals));
    if (!between.empty() && between.front() != ':') continue;
    const std::string_view value = trim(rest.substr(equals + 1));
    if (value == "None") return "";
    if (value.size() >= 2 && (value.front() == '\'' || value.front() == '"') &&
        value.back() == value.front()) {
      return std::string(value.substr(1, value.size() - 2));
    }
  }
  return std::nullopt;
}

/// The header block of METADATA: up to the first empty line.
InstalledPackage parse_metadata(std::string_view text) {
  InstalledPackage package;
  for (const std::string& raw : split(text, '\n')) {
    const std::string_view line = trim(raw);
    if (line.empty()) break;
    const auto value = [&line](std::string_view key) -> std::optional<std::string> {
      if (!line.starts_with(key)) return std::nullopt;
      return std::string(trim(line.substr(key.size())));
    };
    if (const auto name = value("Name:"); name && package.name.empty()) {
      package.name = normal_name(*name);
    } else if (const auto version = value("Version:"); version && package.version.empty()) {
      package.version = *version;
    } else if (const auto requirement = value("Requires-Dist:")) {
      package.requirements.push_back(*requirement);
    }
  }
  return package;
}

bool is_site_folder(std::string_view folder) {
  return folder.ends_with("/site-packages") || folder.ends_with("/dist-packages");
}

/// Whether `rest` of a distribution's name is nothing or "-cu12".
bool is_cuda_suffix(std::string_view rest) {
  if (rest.empty()) return true;
  return rest.starts_with("-cu") && rest.size() > 3 &&
         rest.find_first_not_of("0123456789", 3) == std::string_view::npos;
}

std::string digits_after(std::string_view text, std::string_view stem) {
  if (!text.starts_with(stem)) return {};
  text.remove_prefix(stem.size());
  return std::string(text.substr(0, text.find_first_not_of("0123456789")));
}

}  // namespace

ImageView::ImageView(const ImageFacts& image) : image_(image) {
  find_damage();
  read_environment();
  read_packages();
  read_torch();
  find_cuda_libraries();
}

void ImageView::find_damage() {
  for (std::size_t at = 0; at < image_.layers.size(); ++at) {
    const LayerFact& layer = image_.layers[at];
    if (layer.problems.empty()) continue;
    incomplete_ = "layer " + std::to_string(at + 1) + " of " +
                  std::to_string(image_.layers.size()) +
                  " is damaged or no valid layer, so what a container sees is not known";
    return;
  }
}

void ImageView::read_environment() {
  for (const std::string& line : image_.image.config.env) {
    const std::size_t equals = line.find('=');
    environment_[line.substr(0, equals)] =
        equals == std::string::npos ? "" : line.substr(equals + 1);
  }
}

void ImageView::read_packages() {
  for (const auto& [path, text] : image_.texts) {
    if (!path.ends_with(".dist-info/METADATA")) continue;
    const std::string folder = folder_of(path);
    if (!is_site_folder(folder_of(folder))) continue;
    InstalledPackage package = parse_metadata(text);
    package.folder = folder;
    package.site = folder_of(folder);
    packages_.push_back(std::move(package));
  }
  std::stable_sort(packages_.begin(), packages_.end(),
                   [](const InstalledPackage& left, const InstalledPackage& right) {
                     return left.name < right.name;
                   });
}

void ImageView::read_torch() {
  for (const auto& [path, text] : image_.texts) {
    if (!path.ends_with("/torch/version.py") || !is_site_folder(folder_of(folder_of(path)))) {
      continue;
    }
    const auto version = assignment(text, "__version__");
    if (!version || version->empty()) continue;
    torch_ = TorchFacts{.folder = folder_of(path),
                        .version = *version,
                        .cuda = assignment(text, "cuda").value_or("")};
    return;
  }
}

void ImageView::find_cuda_libraries() {
  for (const auto& [path, elf] : image_.elf) {
    const std::string soname = elf.soname.empty() ? base_name(path) : elf.soname;
    const auto family = cuda_family_of(soname);
    if (family) cuda_libraries_.push_back({*family, soname, path});
  }
}

std::optional<std::string> ImageView::env(std::string_view name) const {
  const auto found = environment_.find(std::string(name));
  if (found == environment_.end()) return std::nullopt;
  return found->second;
}

const InstalledPackage* ImageView::package(std::string_view name) const {
  for (const InstalledPackage& package : packages_) {
    if (package.name == name) return &package;
  }
  return nullptr;
}

std::vector<const InstalledPackage*> ImageView::variants(std::string_view stem) const {
  std::vector<const InstalledPackage*> found;
  for (const InstalledPackage& package : packages_) {
    if (package.name.starts_with(stem) &&
        is_cuda_suffix(std::string_view(package.name).substr(stem.size()))) {
      found.push_back(&package);
    }
  }
  return found;
}

std::string ImageView::cuda_major() const {
  if (torch_ && !torch_->cuda.empty()) return split(torch_->cuda, '.').front();
  for (const CudaLibrary& library : cuda_libraries_) {
    const std::string major = digits_after(library.soname, "libcudart.so.");
    if (!major.empty()) return major;
  }
  for (const InstalledPackage& package : packages_) {
    const std::size_t suffix = package.name.rfind("-cu");
    if (!package.name.starts_with("nvidia-") || suffix == std::string::npos) continue;
    const std::string major = digits_after(package.name.substr(suffix), "-cu");
    if (!major.empty()) return major;
  }
  return {};
}

std::string ImageView::layer_of(const std::string& path) const {
  const auto file = image_.files.find(path);
  if (file == image_.files.end() || file->second.layer < 0 ||
      static_cast<std::size_t>(file->second.layer) >= image_.layers.size()) {
    return {};
  }
  return image_.layers[static_cast<std::size_t>(file->second.layer)].descriptor.digest.str();
}

std::vector<std::string> search_path(const ImageView& view) {
  return split(
      view.env("PATH").value_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
      ':');
}

std::optional<std::string> cuda_family_of(std::string_view name) {
  for (const auto& [stem, family] : kFamilies) {
    if (!name.starts_with(stem)) continue;
    const std::string_view rest = name.substr(stem.size());
    // cuDNN's parts are one family: libcudnn_ops.so.9 is of no use without libcudnn.so.9.
    const bool part = family == "cudnn" && rest.starts_with('_');
    if (rest.starts_with(".so") || part) return std::string(family);
  }
  return std::nullopt;
}

const std::map<std::string, std::string>& cuda_distributions() {
  static const std::map<std::string, std::string> table{
      {"cudart", "nvidia-cuda-runtime"}, {"cublas", "nvidia-cublas"},
      {"cudnn", "nvidia-cudnn"},         {"cufft", "nvidia-cufft"},
      {"cufile", "nvidia-cufile"},       {"cupti", "nvidia-cuda-cupti"},
      {"curand", "nvidia-curand"},       {"cusolver", "nvidia-cusolver"},
      {"cusparse", "nvidia-cusparse"},   {"cusparselt", "nvidia-cusparselt"},
      {"nccl", "nvidia-nccl"},           {"nvjitlink", "nvidia-nvjitlink"},
      {"nvrtc", "nvidia-cuda-nvrtc"},    {"nvshmem", "nvidia-nvshmem"},
      {"nvtx", "nvidia-nvtx"},
  };
  return table;
}

bool keeps_version(std::string_view promised, std::string_view actual) {
  if (promised.empty() || !actual.starts_with(promised)) return false;
  return actual.size() == promised.size() || actual[promised.size()] == '.' ||
         actual[promised.size()] == '+';
}

std::string normal_name(std::string_view name) {
  std::string result;
  for (const char c : to_lower_ascii(name)) {
    const bool separator = c == '-' || c == '_' || c == '.';
    if (!separator) {
      result += c;
    } else if (!result.ends_with('-')) {
      result += '-';
    }
  }
  return result;
}

std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));  // npos + 1 is 0
}

std::string folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return "/";
  return std::string(path.substr(0, slash));
}

std::string count_of(std::uint64_t number, const std::string& noun) {
  return with_commas(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace img
