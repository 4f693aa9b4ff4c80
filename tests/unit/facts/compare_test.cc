// SPDX-License-Identifier: Apache-2.0
// Wheels against the table, and the table brought to what they say.
#include "builder/facts/compare.h"

#include "builder/facts/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;

constexpr const char* kTable = R"(schema: imgcompat/v1
torch:
  - release: "2.8"
    patches: ["2.8.0"]
    python: ["3.11"]
    triton: "3.4.0"
    variants:
      - name: cu126
        cuda: "12.6"
        evidence: A
      - name: cu128
        cuda: "12.8"
        default: true
        compute: ["7.0", "9.0"]
        cudnn: "9.10.2.21"
        nccl: "2.0"
        nvshmem: "3.4.5"
        components: {cublas: "12.8.4.1", cufft: "1"}
        glibc: "2.17"
        evidence: B
driver_floor: {"12": "525.60.13"}
toolkit_driver: {"12.8.1": "570.124.06"}
gpus:
  - {name: T4, compute: "7.5", architecture: Turing, toolkit: "10.0"}
code_does_not_run: []
sdpa: []
claims: []
)";

Compatibility table() { return parse_compatibility(kTable, "t.yaml"); }

TorchWheelFacts wheel(const std::string& version = "2.8.0") {
  TorchWheelFacts facts{.version = version, .python = "cp311", .file = "torch.whl"};
  facts.sha256 = std::string(64, 'a');
  facts.pins.cudnn = "9.10.2.21";
  facts.pins.nccl = "2.27.3";
  facts.pins.cusparselt = "0.7.1";
  facts.pins.triton = "3.4.0";
  facts.pins.components = {{"cublas", "12.8.4.1"}};
  return facts;
}

DeepFacts deep(const std::string& cuda = "12.8") {
  DeepFacts facts;
  facts.cuda = cuda;
  facts.glibc = "2.28";
  facts.compute = {{7, 0}, {9, 0}};
  facts.fat_binaries = 3;
  return facts;
}

std::vector<std::string> lines(const std::vector<ComparedFact>& rows) {
  std::vector<std::string> result;
  for (const ComparedFact& row : rows) {
    result.push_back(row.torch + "|" + row.variant + "|" + row.key + "|" + row.table + "|" +
                     row.wheel + "|" + std::string(to_string(row.status)));
  }
  return result;
}

TEST(CompareFacts, HoldsEveryValueAgainstTheTable) {
  EXPECT_THAT(
      lines(compare_facts(table(), wheel())),
      ElementsAre("2.8.0|cu128|components.cublas|12.8.4.1|12.8.4.1|confirmed",
                  "2.8.0|cu128|cudnn|9.10.2.21|9.10.2.21|confirmed",
                  "2.8.0|cu128|cusparselt||0.7.1|missing", "2.8.0|cu128|nccl|2.0|2.27.3|differs",
                  "2.8.0|cu128|triton|3.4.0|3.4.0|confirmed",
                  "2.8.0|cu128|components.cufft|1|not required|differs",
                  "2.8.0|cu128|nvshmem|3.4.5|not required|differs"));
}

TEST(CompareFacts, NamesAnotherDefaultVariantAndWhatTheTableDoesNotHave) {
  TorchWheelFacts facts = wheel();
  facts.deep = deep("12.6");
  EXPECT_EQ(lines(compare_facts(table(), facts))[0], "2.8.0|cu126|default|12.8|12.6|differs");
  facts.deep = deep("13.0");
  EXPECT_THAT(lines(compare_facts(table(), facts)),
              ElementsAre("2.8.0||default|12.8|13.0|differs"));
  EXPECT_THAT(lines(compare_facts(table(), wheel("2.16.0"))),
              ElementsAre("2.16.0||release||2.16|missing"));
  EXPECT_EQ(lines(compare_facts(table(), wheel("2.8.1")))[0], "2.8.1||patches||2.8.1|missing");
}

TEST(ComparePythons, LooksAtAllPatchReleases) {
  IndexedVersion first{"2.8.0", {{"cp311", {}}, {"cp39", {}}, {"cp313t", {}}}};
  IndexedVersion second{"2.8.1", {{"cp310", {}}, {"cp313", {}}}};
  EXPECT_THAT(lines(compare_pythons(table(), {first, second})),
              ElementsAre("2.8||python|3.11|3.9, 3.10, 3.11, 3.13, 3.13t|differs"));
  EXPECT_TRUE(compare_pythons(table(), {}).empty());
}

TEST(ApplyFacts, CorrectsFillsInAndNotesTheProof) {
  TorchWheelFacts facts = wheel();
  facts.deep = deep();
  const IndexedVersion page{"2.8.0", {{"cp311", {}}, {"cp312", {}}, {"cp313t", {}}}};
  const Compatibility better = apply_facts(table(), {facts}, {page}, "2026-11-25");
  const TorchRelease& release = better.torch.front();
  const TorchVariant& variant = *release.default_variant();
  EXPECT_EQ(variant.name, "cu128");
  EXPECT_EQ(variant.nccl, "2.27.3");
  EXPECT_EQ(variant.cusparselt, "0.7.1");
  EXPECT_EQ(variant.nvshmem, "");
  EXPECT_EQ(variant.glibc, "2.28");
  EXPECT_EQ(variant.evidence, "B");  // of what no wheel says
  EXPECT_THAT(release.python, ElementsAre("3.11", "3.12"));
  EXPECT_THAT(release.python_experimental, ElementsAre("3.13t"));
  ASSERT_EQ(variant.verified.size(), 1u);
  EXPECT_EQ(variant.verified[0].read, "2026-11-25");
  EXPECT_THAT(variant.verified[0].values,
              ElementsAre("components", "compute", "cuda", "cudnn", "cusparselt", "glibc", "nccl",
                          "ptx", "triton"));
  EXPECT_TRUE(variant.is_verified("nccl"));
  EXPECT_FALSE(variant.is_verified("toolkit"));
  for (const ComparedFact& row : compare_facts(better, facts)) {
    EXPECT_EQ(row.status, FactStatus::confirmed) << row.key;
  }
  // Once more changes nothing, and neither does a look at METADATA alone.
  EXPECT_EQ(format_compatibility(apply_facts(better, {facts, wheel()}, {page}, "2026-11-25")),
            format_compatibility(better));
}

TEST(ApplyFacts, APatchReleaseWithAnotherValueDoesNotProveTheTables) {
  TorchWheelFacts first = wheel("2.8.0"), second = wheel("2.8.1");
  first.pins.nccl = "2.27.1";
  second.pins.triton = "3.4.1";
  const Compatibility better = apply_facts(table(), {first, second}, {}, "2026-11-25");
  const TorchRelease& release = better.torch.front();
  EXPECT_THAT(release.patches, ElementsAre("2.8.0", "2.8.1"));
  EXPECT_EQ(release.triton_of("2.8.0"), "3.4.0");
  EXPECT_EQ(release.triton_of("2.8.1+cu128"), "3.4.1");
  const TorchVariant& variant = *release.default_variant();
  EXPECT_EQ(variant.nccl, "2.27.3");
  ASSERT_EQ(variant.verified.size(), 2u);
  EXPECT_THAT(variant.verified[0].values,
              ElementsAre("components", "cudnn", "cusparselt", "triton"));
  EXPECT_THAT(variant.verified[1].values,
              ElementsAre("components", "cudnn", "cusparselt", "nccl", "triton"));
}

TEST(ApplyFacts, AddsAReleaseThatItDoesNotKnowFromADeepLookOnly) {
  EXPECT_EQ(apply_facts(table(), {wheel("2.16.0")}, {}, "2026-11-25").torch.size(), 1u);
  TorchWheelFacts facts = wheel("2.16.0");
  facts.deep = deep("13.4");
  const Compatibility better = apply_facts(table(), {facts}, {}, "2026-11-25");
  ASSERT_EQ(better.torch.size(), 2u);
  EXPECT_EQ(better.torch[1].default_variant()->name, "cu134");
  EXPECT_EQ(format_compatibility(parse_compatibility(format_compatibility(better), "t.yaml")),
            format_compatibility(better));
}

}  // namespace
}  // namespace img
