// SPDX-License-Identifier: Apache-2.0
// Proving the versions that a manifest promises on the artifacts themselves.
#pragma once

#include "builder/lock/lock_file.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

struct PromiseEvidence {
  const LockFile* lock = nullptr;  ///< wheels and debs are read
  /// Text of a member of a fetched wheel; nullopt: it has no such member.
  std::function<std::optional<std::string>(const LockedWheel& wheel, const std::string& member)>
      read;
  /// CUDA versions that a torch release exists for; empty: not known.
  std::function<std::vector<std::string>(const std::string& torch)> cuda_variants;
};

/// Promise → what the artifacts say. ManifestError at the position of the first version that is not
/// true, or that names nothing.
std::map<std::string, std::string> prove_promises(const BuildManifest& manifest,
                                                  const PromiseEvidence& evidence);

/// "9.10" is kept by "9.10.2.21" and "2.8.0" by "2.8.0+cu128", but "2.8" is not by "2.80".
bool keeps_promise(std::string_view promised, std::string_view actual);

/// What torch/version.py says of itself.
struct TorchVersion {
  std::string version;              ///< "2.8.0+cu128"
  std::optional<std::string> cuda;  ///< "12.8"; nullopt: built without CUDA
};
/// nullopt when the text does not have the two assignments.
std::optional<TorchVersion> parse_torch_version(std::string_view text);

}  // namespace img
