// SPDX-License-Identifier: Apache-2.0
// The built-in table of GPUs belongs to the compatibility table.

#include "validators/sizing/gpus.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Gpus, EveryModelOfTheCompatibilityTableHasCards) {
  for (const GpuModel& model : builtin_compatibility().gpus) {
    const GpuEntry* const entry = builtin_gpus().find(model.name);
    ASSERT_NE(entry, nullptr) << model.name;
    EXPECT_FALSE(entry->cards.empty()) << model.name;
    for (const GpuCard& card : entry->cards) {
      EXPECT_GT(card.bandwidth, 0) << card.name;
      // What a driver reports is near the label, whichever kind of GB the label means.
      const double share = static_cast<double>(card.usable()) / static_cast<double>(card.label);
      EXPECT_GT(share, 0.9) << card.name;
      EXPECT_LT(share, 1.08) << card.name;
    }
  }
}

TEST(Gpus, BranchesAreFoundByNameAndNumber) {
  ASSERT_NE(builtin_gpus().find_branch("R580"), nullptr);
  EXPECT_EQ(builtin_gpus().find_branch("580"), builtin_gpus().find_branch("R580"));
  EXPECT_EQ(builtin_gpus().find_branch("999"), nullptr);
  EXPECT_EQ(branch_of("570.124.06"), 570);
  EXPECT_EQ(branch_of(""), 0);
}

std::string refusal(const std::string& text) {
  try {
    parse_gpus(text, "g", builtin_compatibility());
  } catch (const ManifestError& error) {
    return error.text().message;
  }
  return "read";
}

TEST(Gpus, AreReadStrictly) {
  const std::string head = "schema: imggpus/v1\ngpus:\n";
  EXPECT_EQ(refusal("schema: x\n"), "unknown schema 'x'");
  EXPECT_EQ(refusal(head + "  - {model: T5, cards: []}\nbranches: []\n"),
            "the compatibility table has no GPU 'T5'");
  EXPECT_EQ(refusal(head + "  - {model: T4, cards: [{name: T4, memory: lots, evidence: A}]}\n"
                           "branches: []\n"),
            "'lots' is no size");
  EXPECT_EQ(refusal("schema: imggpus/v1\ngpus: []\nbranches:\n  - {name: R580, evidence: A}\n"
                    "  - {name: R570, evidence: A}\n"),
            "branch 'R570' is not newer than the one before it");
  EXPECT_EQ(refusal("schema: imggpus/v1\ngpus: []\nbranches:\n  - {name: R580, evidence: Z}\n"),
            "'Z' is no evidence");
}

}  // namespace
}  // namespace img
