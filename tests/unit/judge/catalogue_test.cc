// SPDX-License-Identifier: Apache-2.0
// The catalogue: every check is there, told in full, and found by its id.
#include "validators/judge/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <string>

namespace img {
namespace {

using ::testing::ElementsAreArray;

std::vector<std::string> ids_of(Tier tier) {
  std::vector<std::string> ids;
  for (const CheckInfo& info : catalogue()) {
    if (info.tier == tier) ids.emplace_back(info.id);
  }
  return ids;
}

TEST(Catalogue, HoldsTheStaticTierInAReadersOrder) {
  EXPECT_THAT(
      ids_of(Tier::image),
      ElementsAreArray({"IMG-DIGEST",   "IMG-LAYER",   "IMG-CONFIG",  "IMG-SIZE",     "IMG-WASTE",
                        "IMG-LEFTOVER", "IMG-SECRET",  "ELF-CLOSURE", "ELF-VERSION",  "ELF-SYMS",
                        "ELF-CXXABI",   "LIB-ONECOPY", "CUDNN-SET",   "DRV-NOTBAKED", "DRV-STUB",
                        "COMPAT-NOTE",  "REQ-ENV",     "ARCH-LIST",   "PAIR-PROMISE", "PAIR-TABLE",
                        "PY-PACKAGES",  "PY-BYTECODE"}));
}

TEST(Catalogue, HoldsTheContainerTierInAReadersOrder) {
  EXPECT_THAT(ids_of(Tier::container),
              ElementsAreArray({"LOAD-TORCH", "LOAD-PROV", "VER-CUDART", "VER-CUDNN", "VER-NCCL",
                                "VER-LIBS", "DRV-STATE", "SDPA-CPU", "DIST-CPU", "COLD-CPU",
                                "PY-IMPORT", "PY-PIPCHECK", "PY-NOUSER", "PY-COMPILE"}));
}

TEST(Catalogue, HoldsTheGpuTiersInAReadersOrder) {
  EXPECT_THAT(
      ids_of(Tier::gpu),
      ElementsAreArray({"DRV-FLOOR", "GPU-STATE", "GPU-MEMORY", "CC-KERNEL", "SDPA-FLASH",
                        "SDPA-EFF", "SDPA-CUDNN", "SDPA-CHOICE", "CUDNN-CONV", "COLD-GPU"}));
  EXPECT_THAT(ids_of(Tier::multi_gpu), ElementsAreArray({"NCCL-AR"}));
}

TEST(Catalogue, NamesEveryCheckOnce) {
  std::set<std::string> seen;
  for (const CheckInfo& info : catalogue()) {
    EXPECT_TRUE(seen.insert(std::string(info.id)).second) << info.id;
  }
}

TEST(Catalogue, TellsEveryCheckInFull) {
  const std::regex incident(
      R"([A-Za-z0-9._-]+/[A-Za-z0-9._-]+(#[0-9]+| CVE-[0-9]{4}-[0-9]+): .{30,})");
  for (const CheckInfo& info : catalogue()) {
    EXPECT_TRUE(std::regex_match(std::string(info.id), std::regex("[A-Z]+-[A-Z]+"))) << info.id;
    EXPECT_GE(info.title.size(), 15u) << info.id;
    EXPECT_LE(info.title.size(), 64u) << info.id;
    for (const std::string_view text : {info.reads, info.rule, info.why, info.mend}) {
      EXPECT_GE(text.size(), 15u) << info.id << ": " << text;
      EXPECT_FALSE(text.ends_with('.')) << info.id << ": " << text;
      EXPECT_EQ(text.find("  "), std::string_view::npos) << info.id << ": " << text;
    }
    EXPECT_TRUE(std::regex_match(std::string(info.incident), incident)) << info.id;
  }
}

TEST(Catalogue, FindsACheckWithoutRegardToCase) {
  ASSERT_NE(find_check("cudnn-set"), nullptr);
  EXPECT_EQ(find_check("cudnn-set")->id, "CUDNN-SET");
  EXPECT_EQ(find_check("CUDNN-SETS"), nullptr);
  EXPECT_EQ(find_check(""), nullptr);
}

TEST(Severity, HasOneNameEach) {
  for (const Severity severity :
       {Severity::low, Severity::medium, Severity::high, Severity::critical}) {
    EXPECT_EQ(parse_severity(to_string(severity)), severity);
  }
  EXPECT_EQ(parse_severity("High"), std::nullopt);
}

}  // namespace
}  // namespace img
