// SPDX-License-Identifier: Apache-2.0
// What the METADATA of torch and of cuda-toolkit says about versions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One Requires-Dist that has no extra of its own, or the one asked for.
struct MetadataPin {
  std::string name;                 ///< normalised distribution
  std::vector<std::string> extras;  ///< "cuda-toolkit[cublas,cudart]"
  std::string specifier;            ///< "==9.10.2.21", "~=3.9.0", "<14,>=13.0.3"; may be empty
  std::string extra;                ///< extra == 'cublas' of its marker; empty: none

  /// "9.10.2.21" of "==9.10.2.21" and "==9.10.2.21.*"; nullopt: it is no exact pin.
  std::optional<std::string> exact() const;
};

/// What torch says of the libraries that it is used with. Fields that it does not say are empty.
struct TorchPins {
  std::string cudnn, nccl, cusparselt, nvshmem;
  std::string triton;   ///< "3.4.0" of an exact pin, else the specifier: "~=3.9.0"
  std::string toolkit;  ///< of cuda-toolkit: "13.0.2"
  std::vector<std::string> toolkit_extras;
  std::map<std::string, std::string> components;  ///< "cublas" → "12.8.4.1"
  /// What is required without an exact version: "components.cublas" → "<=13.1.1.3,>=13.1.0.3".
  std::map<std::string, std::string> ranges;
};

/// `what` names the document. InputError for a Requires-Dist that is none.
std::vector<MetadataPin> read_pins(const std::vector<std::string>& requires_dist,
                                   const std::string& what);
TorchPins torch_pins(const std::vector<MetadataPin>& pins);
/// Components of the extras that torch asks of cuda-toolkit, added to those that it pins itself.
void add_toolkit_components(TorchPins& torch, const std::vector<MetadataPin>& toolkit);

}  // namespace img
