// SPDX-License-Identifier: Apache-2.0
// How much GPU memory a workload takes, part by part, each with its formula.
#pragma once

#include "validators/sizing/workload.h"

#include <string>
#include <vector>

namespace img {

struct MemoryPart {
  std::string name;  ///< "weights"
  double bytes = 0;
  std::string formula;  ///< "parameters × 2 B"
  std::string numbers;  ///< "8.03e9 × 2"
  bool shared = false;  ///< several GPUs can hold a share each; else each needs all of it
};

struct MemoryEstimate {
  std::vector<MemoryPart> parts;  ///< those that are there, in a reader's order

  double total() const;
  double part(const std::string& name) const;  ///< 0: not there
  /// What each of `count` GPUs holds when the parts that can be are split evenly.
  double share(unsigned count) const;
};

/// Bytes of one value. nf4 has 4 bits and 0.127 bits of constants (QLoRA, double quantization).
double bytes_of(Number number);

/// REQUIRES: require_possible(workload) does not throw. Estimates: peaks of kernels, fragmentation
/// and what frameworks keep beside are not in them.
MemoryEstimate estimate_memory(const Workload& workload);

/// A rule that people quote, held against this workload.
struct RuleOfThumb {
  std::string rule;      ///< "2 GB per billion parameters (16-bit inference)"
  bool applies = false;  ///< the rule is about this kind of work
  bool holds = false;
  std::string why;  ///< with figures
};
std::vector<RuleOfThumb> judge_rules(const Workload& workload, const MemoryEstimate& estimate);

}  // namespace img
