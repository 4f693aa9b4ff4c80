// SPDX-License-Identifier: Apache-2.0
// Finds a CUDA library of the image: among given files, in torch's neighbourhood, by the loader.
#pragma once

#include "validators/probes/arguments.h"
#include "validators/probes/library.h"

#include <string>
#include <vector>

namespace probe {

struct WantedLibrary {
  const char* name;                  ///< in events: "cudnn"
  const char* stem;                  ///< file name up to ".so": "libcudnn"
  std::vector<const char*> sonames;  ///< tried in order where no file is known
};
inline const WantedLibrary kCudnn{"cudnn", "libcudnn", {"libcudnn.so.9", "libcudnn.so.8"}};
inline const WantedLibrary kCublas{"cublas", "libcublas", {"libcublas.so.13", "libcublas.so.12"}};
inline const WantedLibrary kNccl{"nccl", "libnccl", {"libnccl.so.2"}};
inline const WantedLibrary kCudart{
    "cudart", "libcudart", {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"}};

/// The file among `--library` arguments, else beside the package of `--torch`; empty: none of them.
std::string library_file(const WantedLibrary& wanted, const Arguments& arguments);

/// Opens that file, else what the loader finds, and writes an event library {library, path, error,
/// stand_in}; the path is empty when there is no such library at all.
Library open_library(const WantedLibrary& wanted, const std::string& file, int flags);

}  // namespace probe
