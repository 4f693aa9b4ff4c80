// SPDX-License-Identifier: Apache-2.0
// Reports grouped by their bytes, and where they contradict each other.

#include "tests/unit/matrix/sample.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Collect, ReportsOfOneDigestAreOneImage) {
  Report later = sample_image();
  later.started = "2026-11-26T00:00:00Z";
  later.checks = {passing("SDPA-CPU")};
  const Matrix matrix = matrix_of({sample_image('1'), later, sample_image('2')});
  ASSERT_EQ(matrix.images.size(), 2u);
  EXPECT_EQ(matrix.images[0].reports, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(matrix.images[0].checks.size(), 3u);
  EXPECT_EQ(matrix.newest, "2026-11-26T00:00:00Z");
  EXPECT_TRUE(matrix.problems.empty());
  EXPECT_NE(matrix.images[0].anchor, matrix.images[1].anchor);
}

TEST(Collect, ReportsWithoutADigestAreNeverPutTogether) {
  Report one = sample_image();
  one.image.manifest_digest.clear();
  Report other = one;
  other.started = "2026-11-26T00:00:00Z";
  EXPECT_EQ(matrix_of({one, other}).images.size(), 2u);
}

TEST(Collect, ImagesAreInTheOrderOfTheirVersions) {
  Report two = sample_image('1'), eleven = sample_image('2');
  two.image.name = "torch:2.8.0";
  eleven.image.name = "torch:2.11.0";
  const Matrix matrix = matrix_of({eleven, two});
  EXPECT_EQ(matrix.images[0].name, "torch:2.8.0");
  EXPECT_EQ(matrix.images[1].name, "torch:2.11.0");
}

TEST(Collect, TheSameReportTwiceCountsOnce) {
  const Matrix matrix = matrix_of({sample_image(), sample_image()});
  EXPECT_EQ(matrix.reports.size(), 1u);
  ASSERT_TRUE(matrix.has(MatrixProblem::Kind::duplicate));
  EXPECT_EQ(matrix.problems.front().message,
            "'r2.json' is the same report as 'r1.json'; it counts once");
}

TEST(Collect, WhatRanComesBeforeWhatDidNot) {
  Report later = sample_image();
  later.started = "2026-11-26T00:00:00Z";
  later.checks = {blocked("LOAD-TORCH", Tier::container, "no runtime here")};
  const Matrix matrix = matrix_of({sample_image(), later});
  const CheckCell& cell = matrix.images.front().checks.at("LOAD-TORCH");
  EXPECT_EQ(cell.status(), Status::pass);
  EXPECT_EQ(cell.basis(), Basis::tested);
  EXPECT_FALSE(cell.contradictory);
  EXPECT_EQ(cell.said.size(), 2u);
}

TEST(Collect, OnlyBlockedIsNothing) {
  Report report = sample_image();
  report.checks = {blocked("LOAD-TORCH", Tier::container, "no runtime here")};
  const CheckCell cell = matrix_of({report}).images.front().checks.at("LOAD-TORCH");
  EXPECT_EQ(cell.status(), Status::blocked);
  EXPECT_EQ(cell.basis(), Basis::none);
}

TEST(Collect, PassAgainstFailOnTheSameBytesIsAContradiction) {
  Report later = sample_image();
  later.started = "2026-11-26T00:00:00Z";
  later.checks = {failing("ELF-CLOSURE", Tier::image)};
  const Matrix matrix = matrix_of({sample_image(), later});
  ASSERT_TRUE(matrix.has(MatrixProblem::Kind::contradiction));
  EXPECT_EQ(matrix.problems.front().message,
            "reports of the same digest disagree on check ELF-CLOSURE: 'r2.json' says fail, "
            "'r1.json' says pass");
  const CheckCell& cell = matrix.images.front().checks.at("ELF-CLOSURE");
  EXPECT_TRUE(cell.contradictory);
  EXPECT_EQ(cell.status(), Status::fail);
}

TEST(Collect, DisputedFactsDecideNothing) {
  Report later = sample_image();
  later.started = "2026-11-26T00:00:00Z";
  later.facts["cuda"] = "12.6";
  const Matrix matrix = matrix_of({sample_image(), later});
  EXPECT_EQ(matrix.problems.front().message,
            "reports of the same digest disagree on 'cuda': 'r2.json' says '12.6', 'r1.json' says "
            "'12.8'");
  EXPECT_EQ(matrix.images.front().disputed, std::vector<std::string>{"cuda"});
  EXPECT_EQ(said(cell_of(matrix, "T4", "R580")), "unknown (none) FACTS");
}

TEST(Claims, StandBesideTruthAndWhatWasSeen) {
  const Matrix matrix = matrix_of({sample_image()});
  const auto row = [&](const std::string& start) {
    return *std::find_if(matrix.claims.begin(), matrix.claims.end(),
                         [&](const ClaimRow& one) { return one.claim.starts_with(start); });
  };
  const ClaimRow wrong = row("PyTorch 2.8 ");
  EXPECT_EQ(wrong.verdict, "wrong");
  EXPECT_EQ(wrong.seen, std::vector<std::string>{"pytorch-cuda:2.8.0: CUDA 12.8"});
  EXPECT_EQ(wrong.variants, (std::vector<std::string>{"12.6", "12.8 (default)", "12.9"}));
  EXPECT_EQ(row("PyTorch 2.6 ").verdict, "partly right");
  EXPECT_EQ(row("PyTorch 2.4 ").verdict, "wrong");
  EXPECT_EQ(row("fine-tuning ").verdict, "");
}

}  // namespace
}  // namespace img
