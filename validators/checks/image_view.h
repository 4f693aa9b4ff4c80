// SPDX-License-Identifier: Apache-2.0
// What several checks look up in one image: environment, packages, torch, CUDA libraries.
#pragma once

#include "validators/checks/static_tier.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One `*.dist-info` folder that lies directly in a site-packages folder.
struct InstalledPackage {
  std::string name;                       ///< normalised distribution
  std::string version;                    ///< of METADATA
  std::string folder;                     ///< absolute path of the dist-info
  std::string site;                       ///< folder that holds it
  std::vector<std::string> requirements;  ///< Requires-Dist lines
};

struct TorchFacts {
  std::string folder;   ///< "/opt/venv/lib/python3.11/site-packages/torch"
  std::string version;  ///< "2.8.0+cu128"
  std::string cuda;     ///< "12.8"; empty: built without CUDA
};

/// A file of CUDA's user-mode libraries, apart from the driver's.
struct CudaLibrary {
  std::string family;  ///< "cudart", "cudnn", "nccl", …
  std::string soname;  ///< "libcudart.so.12"; the file's name when it has none
  std::string path;
};

/// Answers about one image; made once, then only read.
class ImageView {
 public:
  explicit ImageView(const ImageFacts& image);

  const ImageFacts& image() const { return image_; }
  /// nullopt: not set. The last one counts when a name is set twice, as in a container.
  std::optional<std::string> env(std::string_view name) const;
  const std::map<std::string, std::string>& environment() const { return environment_; }
  std::string library_path() const { return env("LD_LIBRARY_PATH").value_or(""); }

  const std::vector<InstalledPackage>& packages() const { return packages_; }
  const InstalledPackage* package(std::string_view name) const;
  /// "nvidia-cudnn" → the package of that name, with or without the CUDA major ("-cu12") of its
  /// build; several when builds for two majors are installed.
  std::vector<const InstalledPackage*> variants(std::string_view stem) const;

  const std::optional<TorchFacts>& torch() const { return torch_; }
  const std::vector<CudaLibrary>& cuda_libraries() const { return cuda_libraries_; }
  bool has_cuda() const { return !cuda_libraries_.empty(); }
  /// "12" of torch, cudart's soname or the packages' names; empty: not to be told.
  std::string cuda_major() const;

  /// Digest of the layer that brings `path`; empty when there is no such file.
  std::string layer_of(const std::string& path) const;
  /// Whether every layer could be read whole; else why not.
  const std::optional<std::string>& incomplete() const { return incomplete_; }

 private:
  void read_environment();
  void read_packages();
  void read_torch();
  void find_cuda_libraries();
  void find_damage();

  const ImageFacts& image_;
  std::map<std::string, std::string> environment_;
  std::vector<InstalledPackage> packages_;
  std::optional<TorchFacts> torch_;
  std::vector<CudaLibrary> cuda_libraries_;
  std::optional<std::string> incomplete_;
};

/// Folders of PATH, or of the usual one when the image sets none.
std::vector<std::string> search_path(const ImageView& view);
/// Name of a library file or soname → family; nullopt: none of CUDA's.
std::optional<std::string> cuda_family_of(std::string_view name);
/// Short name of a component ("cudart", "cublas", "nvjitlink") → stem of the distribution that
/// brings it ("nvidia-cuda-runtime", …).
const std::map<std::string, std::string>& cuda_distributions();

/// "9.10" is kept by "9.10.2.21" and "2.8.0" by "2.8.0+cu128", but "2.8" is not by "2.80".
bool keeps_version(std::string_view promised, std::string_view actual);
/// Lower case, runs of '-', '_' and '.' as one '-' (PEP 503).
std::string normal_name(std::string_view name);
/// Last segment of a path, and everything before it ("/" for a path in the root).
std::string base_name(std::string_view path);
std::string folder_of(std::string_view path);
/// "3 files", "1 file"
std::string count_of(std::uint64_t number, const std::string& noun);

}  // namespace img
