// SPDX-License-Identifier: Apache-2.0
// The arguments of a probe: pairs of `--name value`, nothing else.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace probe {

class Arguments {
 public:
  /// Ends the process with exit code 2 and a word on standard error for anything but pairs of names
  /// in `known`.
  Arguments(int argc, char** argv, const std::vector<std::string_view>& known);

  std::string one(std::string_view name, std::string fallback = {}) const;  ///< the last one
  std::vector<std::string> all(std::string_view name) const;
  /// A decimal number within limits, else the process ends with exit code 2.
  long number(std::string_view name, long fallback, long least, long most) const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace probe
