// SPDX-License-Identifier: Apache-2.0
// Rules of thumb that people quote, held against one workload.

#include "validators/sizing/memory.h"
#include "validators/sizing/quantity.h"

namespace img {
namespace {

/// GB for each billion parameters: bytes for each parameter.
std::string per_billion(double bytes, const Workload& workload) {
  return fixed(bytes / workload.parameters, 1) + " GB";
}

RuleOfThumb two_for_inference(const Workload& workload, const MemoryEstimate& estimate) {
  RuleOfThumb rule{.rule = "2 GB per billion parameters for 16-bit inference"};
  rule.applies = workload.task == Task::inference;
  const double weights = estimate.part("weights"), total = estimate.total();
  if (!rule.applies) {
    rule.why = "it is about inference: training also holds gradients, optimizer and activations";
    return rule;
  }
  const double beside = total - weights;
  const std::string measured = "weights take " + per_billion(weights, workload) +
                               " a billion, all of it " + per_billion(total, workload);
  // A tenth more than the rule is what any rule may be wrong by.
  rule.holds = total <= workload.parameters * 2.2 && total >= workload.parameters * 1.8;
  if (rule.holds) {
    rule.why = measured + ": what is beside the weights is small here";
  } else if (total < workload.parameters * 1.8) {
    rule.why = measured + ": weights of less than 16 bits need less";
  } else if (weights > workload.parameters * 2.2) {
    rule.why = measured + ": the weights are wider than 16 bits";
  } else {
    rule.why = measured + ": it counts the weights only; KV cache, activations and context add " +
               fixed(beside / 1e9, 1) + " GB";
  }
  return rule;
}

RuleOfThumb four_to_six_for_tuning(const Workload& workload, const MemoryEstimate& estimate) {
  RuleOfThumb rule{.rule = "4 to 6 GB per billion parameters for fine-tuning"};
  rule.applies = workload.is_training();
  const double total = estimate.total();
  const double states = estimate.part("weights") + estimate.part("adapters") +
                        estimate.part("gradients") + estimate.part("optimizer");
  if (!rule.applies) {
    rule.why = "it is about training";
    return rule;
  }
  const double a_parameter = states / workload.parameters;
  rule.holds = total >= workload.parameters * 4 && total <= workload.parameters * 6;
  const std::string measured = "weights, gradients and optimizer take " +
                               per_billion(states, workload) + " a billion, all of it " +
                               per_billion(total, workload);
  if (rule.holds) {
    rule.why = measured;
  } else if (total < workload.parameters * 4) {
    rule.why = measured + ": frozen weights need neither gradients nor optimizer";
  } else if (a_parameter > 6) {
    rule.why = measured +
               ": mixed-precision Adam needs 16 (2 + 2 + 12), 18 with fp32 gradients; 4 "
               "is 16-bit weights and gradients alone, 6 the same with two 8-bit states";
  } else {
    rule.why = measured + ": it leaves out activations, which grow with batch and length";
  }
  return rule;
}

}  // namespace

std::vector<RuleOfThumb> judge_rules(const Workload& workload, const MemoryEstimate& estimate) {
  return {two_for_inference(workload, estimate), four_to_six_for_tuning(workload, estimate)};
}

}  // namespace img
