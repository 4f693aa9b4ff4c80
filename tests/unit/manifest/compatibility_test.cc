// SPDX-License-Identifier: Apache-2.0
// The compatibility table: what it says, and that it is well-formed.
#include "builder/manifest/compatibility.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

const Compatibility& table() { return builtin_compatibility(); }

TEST(Compatibility, KnowsTheVariantsOfATorchRelease) {
  const TorchRelease* torch = table().find_torch("2.8.0");
  ASSERT_NE(torch, nullptr);
  std::vector<std::string> variants;
  for (const TorchVariant& variant : torch->variants) variants.push_back(variant.cuda);
  EXPECT_EQ(variants, (std::vector<std::string>{"12.6", "12.8", "12.9"}));
  ASSERT_NE(torch->default_variant(), nullptr);
  EXPECT_EQ(torch->default_variant()->name, "cu128");
  EXPECT_EQ(torch->find_cuda("12.8")->cudnn, "9.10.2.21");
  EXPECT_EQ(torch->find_cuda("cu128")->nccl, "2.27.3");
  EXPECT_EQ(torch->find_cuda("12.8")->components.at("cublas"), "12.8.4.1");
  EXPECT_EQ(torch->find_cuda("12.1"), nullptr);
  EXPECT_EQ(table().find_torch("2.8.0+cu128"), torch);
  EXPECT_EQ(table().find_torch("2.8"), torch);
  EXPECT_EQ(table().find_torch("9.9.9"), nullptr);
  EXPECT_EQ(table().find_torch("2"), nullptr);
}

TEST(Compatibility, FollowsTheDefaultVariantFromReleaseToRelease) {
  const std::pair<const char*, const char*> defaults[] = {
      {"1.13", "11.7"}, {"2.1", "12.1"}, {"2.4", "12.1"},  {"2.5", "12.4"},  {"2.6", "12.4"},
      {"2.7", "12.6"},  {"2.8", "12.8"}, {"2.10", "12.8"}, {"2.11", "13.0"}, {"2.15", "13.2"}};
  for (const auto& [release, cuda] : defaults) {
    ASSERT_NE(table().find_torch(release), nullptr) << release;
    EXPECT_EQ(table().find_torch(release)->default_variant()->cuda, cuda) << release;
  }
}

TEST(Compatibility, KnowsDriverFloors) {
  EXPECT_EQ(table().driver_floor_of("12.8"), "525.60.13");
  EXPECT_EQ(table().driver_floor_of("13"), "580.65.06");
  EXPECT_EQ(table().driver_floor_of("10.2"), "");
  EXPECT_LT(compare_dotted("525.60.13", "580.65.06"), 0);
  EXPECT_LT(compare_dotted("9.10", "10.2"), 0);
  EXPECT_EQ(compare_dotted("12.8", "12.8.0"), 0);
  EXPECT_GT(compare_dotted("535.104.05", "535.86.09"), 0);
}

TEST(Compatibility, KnowsWhichCodeRunsWhere) {
  EXPECT_TRUE(table().code_runs_on({8, 6}, {8, 9}));
  EXPECT_TRUE(table().code_runs_on({8, 0}, {8, 0}));
  EXPECT_FALSE(table().code_runs_on({8, 6}, {8, 0}));
  EXPECT_FALSE(table().code_runs_on({8, 0}, {9, 0}));
  EXPECT_FALSE(table().code_runs_on({8, 6}, {8, 7}));
  const auto covers = [](const char* torch, const char* cuda, const char* gpu) {
    return *table().covers(*table().find_torch(torch)->find_cuda(cuda),
                           table().find_gpu(gpu)->compute);
  };
  for (const char* gpu : {"T4", "V100", "A10", "A100", "L4", "H100", "B200", "B300", "RTX 5090"}) {
    EXPECT_TRUE(covers("2.8", "12.8", gpu)) << gpu;
  }
  EXPECT_FALSE(covers("2.8", "12.8", "P100"));
  EXPECT_FALSE(covers("2.8", "12.6", "B200"));
  EXPECT_FALSE(covers("2.7", "12.8", "V100"));
  EXPECT_FALSE(covers("2.11", "13.0", "V100"));
  const TorchVariant unread{.name = "cu999"};
  EXPECT_EQ(table().covers(unread, {8, 0}), std::nullopt);
}

TEST(Compatibility, HoldsClaimAndTruthSideBySide) {
  int pairings = 0;
  for (const Claim& claim : table().claims) {
    EXPECT_FALSE(claim.claim.empty());
    EXPECT_FALSE(claim.truth.empty());
    if (claim.torch.empty()) continue;
    ++pairings;
    EXPECT_NE(table().find_torch(claim.torch), nullptr) << claim.claim;
  }
  EXPECT_EQ(pairings, 3);
  EXPECT_EQ(table().find_torch("2.8")->find_cuda("11.8"), nullptr);
  EXPECT_NE(table().find_torch("2.6")->find_cuda("11.8"), nullptr);
  EXPECT_EQ(table().find_torch("2.4")->find_cuda("11.6"), nullptr);
}

std::string error_of(const std::string& text) {
  try {
    parse_compatibility(text, "c.yaml");
  } catch (const ManifestError& error) {
    return error.render();
  }
  return {};
}

TEST(Compatibility, NamesWhatIsWrongInATable) {
  EXPECT_EQ(error_of("schema: x\n"),
            "error: c.yaml:1:9: unknown schema 'x'\n"
            "    1 | schema: x\n"
            "      |         ^\n"
            "hint: write 'imgcompat/v1'");
  const std::string head = "schema: imgcompat/v1\ntorch:\n- release: \"2.8\"\n  variants:\n";
  EXPECT_EQ(error_of(head + "  - {name: cu128, cuda: \"12.8\", evidence: A}\n"),
            "error: c.yaml:5:3: torch 2.8 has 0 default variants, not one\n"
            "    5 |   - {name: cu128, cuda: \"12.8\", evidence: A}\n"
            "      |   ^");
  EXPECT_NE(error_of(head + "  - {name: cu128, cuda: 12.8, evidence: A}\n").find("is not quoted"),
            std::string::npos);
  EXPECT_NE(error_of(head + "  - {name: cu128, cuda: \"12.8\", evidence: D}\n")
                .find("'D' is no evidence"),
            std::string::npos);
}

TEST(Compatibility, RefusesRowsThatContradictEachOther) {
  const std::string head = "schema: imgcompat/v1\ntorch:\n- release: \"2.8\"\n  variants:\n";
  const std::string good = "  - {name: cu128, cuda: \"12.8\", evidence: A, default: true}\n";
  EXPECT_EQ(error_of(head + good + good),
            "error: c.yaml:6:5: variant 'cu128' of torch 2.8 is given twice\n"
            "    6 |   - {name: cu128, cuda: \"12.8\", evidence: A, default: true}\n"
            "      |     ^");
  EXPECT_EQ(error_of(head + "  - {name: cu126, cuda: \"12.8\", evidence: A}\n"),
            "error: c.yaml:5:5: variant 'cu126' cannot be for CUDA 12.8\n"
            "    5 |   - {name: cu126, cuda: \"12.8\", evidence: A}\n"
            "      |     ^\n"
            "hint: its name would be 'cu128'");
  EXPECT_NE(
      error_of(head + "  - {name: cu128, cuda: \"12.8\", toolkit: \"12.80.1\", evidence: A}\n")
          .find("toolkit 12.80.1 is not of CUDA 12.8"),
      std::string::npos);
  EXPECT_NE(error_of(head + good + "- release: \"2.8\"\n  variants:\n" + good)
                .find("release 2.8 is given twice"),
            std::string::npos);
  EXPECT_NE(error_of(head + "  - {name: cu128, cuda: \"12.8\", evidence: A, cudn: \"9\"}\n")
                .find("unknown key 'cudn'"),
            std::string::npos);
}

TEST(Compatibility, ReadsWhichWheelsProveAValue) {
  const auto error = [](const std::string& proof) {
    return error_of(
        "schema: imgcompat/v1\ntorch:\n- release: \"2.8\"\n  variants:\n"
        "  - name: cu128\n    cuda: \"12.8\"\n    evidence: A\n    verified:\n    - {" +
        proof + "}\n");
  };
  const std::string hash = "sha256: \"" + std::string(64, 'a') + "\"";
  EXPECT_NE(error("torch: \"2.7.0\", python: cp311, " + hash + ", read: \"2026-11-25\", values: []")
                .find("torch 2.7.0 does not belong to release 2.8"),
            std::string::npos);
  EXPECT_NE(
      error("torch: \"2.8.0\", python: cp311, sha256: \"aa\", read: \"2026-11-25\", values: []")
          .find("'aa' is no SHA-256 of a wheel"),
      std::string::npos);
  EXPECT_NE(error("torch: \"2.8.0\", python: cp311, " + hash + ", read: \"26-11-25\", values: []")
                .find("'26-11-25' is no day"),
            std::string::npos);
  EXPECT_NE(
      error("torch: \"2.8.0\", python: cp311, " + hash + ", read: \"2026-11-25\", values: [nccll]")
          .find("'nccll' is no value that a wheel can confirm\n"),
      std::string::npos);
}

TEST(Compatibility, ExpectsAnSdpaBackendByGpuAndWheel) {
  const auto expected = [](const char* torch, const char* cuda, const char* gpu) -> std::string {
    const SdpaRule* rule = table().expected_sdpa(torch, *table().find_torch(torch)->find_cuda(cuda),
                                                 table().find_gpu(gpu)->compute);
    return rule == nullptr ? "" : rule->backend;
  };
  EXPECT_EQ(expected("2.1.2", "12.1", "T4"), "flash");
  EXPECT_EQ(expected("2.2.0", "12.1", "T4"), "mem-efficient");
  EXPECT_EQ(expected("2.8.0", "12.8", "T4"), "mem-efficient");
  EXPECT_EQ(expected("2.5.0", "12.4", "H100"), "cudnn");
  EXPECT_EQ(expected("2.5.1", "12.4", "H100"), "flash");
  EXPECT_EQ(expected("2.8.0", "12.8", "B200"), "flash");
  EXPECT_EQ(expected("2.11.0", "12.6", "H100"), "flash");
  EXPECT_EQ(expected("2.11.0", "13.0", "H100"), "cudnn");
  EXPECT_EQ(expected("2.11.0", "12.8", "H100"), "");
  EXPECT_EQ(expected("2.10.0", "12.8", "A100"), "flash");
}

TEST(Compatibility, KnowsTritonOfPatchReleasesAndTheDriverOfAToolkit) {
  EXPECT_EQ(table().find_torch("2.3")->triton_of("2.3.0+cu121"), "2.3.0");
  EXPECT_EQ(table().find_torch("2.3")->triton_of("2.3.1+cu121"), "2.3.1");
  EXPECT_EQ(table().packaged_driver_of(*table().find_torch("2.8")->find_cuda("12.8")),
            "570.124.06");
  EXPECT_EQ(table().packaged_driver_of(*table().find_torch("2.1")->find_cuda("11.8")), "520.61.05");
}

TEST(ComputeCapability, IsTwoNumbers) {
  EXPECT_EQ(parse_compute_capability("12.0"), (ComputeCapability{12, 0}));
  EXPECT_EQ(to_string(ComputeCapability{10, 3}), "10.3");
  for (const char* text : {"", "8", "8.", ".6", "8.6.1", "8.6a", "-8.6", "8.60", "999.0"}) {
    EXPECT_EQ(parse_compute_capability(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace img
