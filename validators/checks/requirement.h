// SPDX-License-Identifier: Apache-2.0
// The grammar of NVIDIA_REQUIRE_*: which hosts a container asks for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace img {

/// One comparison: "cuda>=12.0".
struct Condition {
  std::string property;    ///< "cuda", "driver", "arch", "brand", or one that nobody knows
  std::string comparison;  ///< "=", "!=", "<", "<=", ">", ">="
  std::string value;
  bool known() const;
};

/// Alternatives (separated by spaces) of conditions that hold together (separated by commas).
struct Requirement {
  std::vector<std::vector<Condition>> alternatives;
  /// What is not of the grammar, one sentence each. The container toolkit refuses to start a
  /// container for some of them and takes no notice of others.
  std::vector<std::string> problems;
};
Requirement parse_requirement(std::string_view text);

struct GpuHost {
  std::string cuda;    ///< newest that its driver serves, "12.2"
  std::string driver;  ///< "535.54.03"
  std::string arch;    ///< compute capability, "8.0"
  std::string brand;   ///< "tesla", "geforce"
};
/// As the container toolkit decides: unknown properties do not count; nothing asked is satisfied.
bool is_satisfied(const Requirement& requirement, const GpuHost& host);

}  // namespace img
