// SPDX-License-Identifier: Apache-2.0
// What one torch wheel says of itself: METADATA, and for a deep look its version and its libraries.
#pragma once

#include "builder/facts/metadata.h"
#include "builder/facts/torch_index.h"
#include "builder/facts/wheel_members.h"
#include "builder/manifest/compatibility.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace img {

/// What only the wheel itself says.
struct DeepFacts {
  std::string version;                     ///< torch/version.py: "2.8.0+cu128"
  std::string cuda;                        ///< "12.8"; empty: built without CUDA
  std::string platform_tag;                ///< of WHEEL: "linux_x86_64"
  std::string glibc, glibcxx, cxxabi;      ///< highest that a library needs
  std::string cxx11_abi;                   ///< "0", "1"; empty: libc10 does not show it
  std::vector<ComputeCapability> compute;  ///< machine code of (nearly) all fat binaries
  std::vector<ComputeCapability> ptx;
  std::vector<std::string> single;  ///< further architectures, of single kernels: "90a"
  std::uint64_t fat_binaries = 0;
  std::vector<std::string> limits;  ///< what could not be read
  Transport transport = Transport::store;
  std::uint64_t bytes_read = 0;
};

struct TorchWheelFacts {
  std::string version;  ///< "2.8.0"
  std::string python;   ///< "cp311"
  std::string file, sha256;
  std::uint64_t size = 0;
  bool metadata_of_index = false;  ///< else METADATA was read from the wheel
  TorchPins pins;
  std::optional<DeepFacts> deep;
};

/// Reads torch wheels of one index; what several of them need is read once. Not thread-safe.
class TorchReader {
 public:
  TorchReader(const Sources& sources, Store& store, Progress& progress, RemoteOptions options);

  /// All versions on the index, oldest first.
  const std::vector<IndexedVersion>& versions();

  /// NetworkError, UnavailableError, InputError, IntegrityError for this wheel only.
  TorchWheelFacts read(const IndexedVersion& version, const std::string& python, bool deep);

 private:
  std::string metadata_of(const IndexFile& file, bool& of_index);
  const std::vector<MetadataPin>& toolkit_pins(const std::string& version);

  const Sources& sources_;
  Store& store_;
  Progress& progress_;
  RemoteOptions options_;
  std::optional<std::vector<IndexedVersion>> versions_;
  std::optional<std::vector<IndexedVersion>> toolkits_;
  std::map<std::string, std::vector<MetadataPin>> toolkit_pins_;
};

/// Of the members of a torch wheel. InputError when the wheel lacks one that it must have.
DeepFacts deep_facts(const WheelMembers& members, const std::string& file);

}  // namespace img
