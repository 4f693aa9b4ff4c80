// SPDX-License-Identifier: Apache-2.0
// Which recipe a wheel lives in: its owner, else the lowest that needs it.
#include "builder/resolve/assign.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using testing::Pair;
using testing::UnorderedElementsAre;

AssignedRecipe recipe(std::string layer, std::vector<std::string> owns,
                      std::set<std::string> needs) {
  return {.layer = std::move(layer),
          .owns = std::move(owns),
          .needs = std::move(needs),
          .position = {.file = "m.yaml", .line = 4, .column = 9}};
}

TEST(Assign, AWheelLivesInTheLowestRecipeThatNeedsIt) {
  EXPECT_THAT(
      assign_layers({recipe("python", {}, {"pip"}), recipe("torch", {}, {"pip", "torch", "sympy"}),
                     recipe("mine", {}, {"pip", "torch", "sympy", "datasets"})},
                    {"pip", "torch", "sympy", "datasets"}),
      UnorderedElementsAre(Pair("pip", "python"), Pair("torch", "torch"), Pair("sympy", "torch"),
                           Pair("datasets", "mine")));
}

TEST(Assign, TheOwnerWinsWhereverItIs) {
  EXPECT_THAT(assign_layers({recipe("cudnn", {"nvidia-cudnn-cu*"}, {}),
                             recipe("torch", {}, {"torch", "nvidia-cudnn-cu12", "numpy"}),
                             recipe("numbers", {"numpy"}, {})},
                            {"torch", "nvidia-cudnn-cu12", "numpy"}),
              UnorderedElementsAre(Pair("nvidia-cudnn-cu12", "cudnn"), Pair("torch", "torch"),
                                   Pair("numpy", "numbers")));
}

TEST(Assign, OneRecipeMayOwnAWheelByTwoPatterns) {
  EXPECT_THAT(assign_layers({recipe("cuda", {"nvidia-*", "nvidia-nvtx"}, {"nvidia-nvtx"})},
                            {"nvidia-nvtx"}),
              UnorderedElementsAre(Pair("nvidia-nvtx", "cuda")));
}

TEST(Assign, TwoOwnersAreAnErrorThatNamesBoth) {
  EXPECT_EQ(
      error_of<ManifestError>([] {
        assign_layers({recipe("cuda", {"nvidia-*"}, {}), recipe("nccl", {"nvidia-nccl-*"}, {})},
                      {"nvidia-nccl-cu12"});
      }),
      "error: m.yaml:4:9: wheel 'nvidia-nccl-cu12' is owned by two recipes, 'cuda' and 'nccl'\n"
      "hint: leave it out of the `owns` of one of them");
}

TEST(Assign, OwningNothingIsAnError) {
  EXPECT_EQ(
      error_of<ManifestError>(
          [] { assign_layers({recipe("nccl", {"nvidia-nccl-cu13"}, {"x"})}, {"x"}); }),
      "error: m.yaml:4:9: recipe 'nccl' owns 'nvidia-nccl-cu13', which is no wheel of this image\n"
      "hint: remove the recipe, or require a package that needs this wheel");
}

TEST(Assign, AWheelThatNobodyNeedsIsABug) {
  EXPECT_EQ(error_of<InternalError>([] { assign_layers({recipe("a", {}, {})}, {"x"}); }),
            "error: no recipe needs the solved wheel 'x'");
}

}  // namespace
}  // namespace img
