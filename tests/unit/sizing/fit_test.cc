// SPDX-License-Identifier: Apache-2.0
// Which GPUs hold a workload, in which order, at which price.

#include "validators/sizing/fit.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace img {
namespace {

Workload inference(double parameters) {
  Workload work{.parameters = parameters, .shape = guess_shape(parameters)};
  return work;
}

FitResult fit_all(const Workload& work, const PriceTable* prices = nullptr, unsigned most = 8) {
  return fit(work, builtin_gpus().cards(), builtin_compatibility(), prices, most);
}

const GpuFit& of(const FitResult& result, const std::string& name) {
  return *std::find_if(result.gpus.begin(), result.gpus.end(),
                       [&](const GpuFit& one) { return one.card->name == name; });
}

TEST(Fit, SevenBillionInSixteenBitsLeaveAT4NoRoom) {
  Workload work = inference(7e9);
  const FitResult result = fit_all(work);
  // 14 GB of weights, 1 GB of cache, 0.5 GB of context: 15,109 MiB are 15.84 GB.
  EXPECT_EQ(of(result, "T4").verdict, FitVerdict::tight);
  EXPECT_EQ(of(result, "L4").verdict, FitVerdict::fits);
  EXPECT_EQ(of(result, "H100 80GB").verdict, FitVerdict::fits);
  EXPECT_EQ(result.gpus.front().card->name, "A10G");  // the smallest with room
}

TEST(Fit, SplitsWhatCanBeSplit) {
  Workload work = inference(70e9);
  const FitResult result = fit_all(work);
  EXPECT_EQ(of(result, "H100 80GB").verdict, FitVerdict::no);
  EXPECT_EQ(of(result, "H100 80GB").count, 2u);
  EXPECT_EQ(of(result, "T4").count, 0u);
  EXPECT_TRUE(result.any());
  EXPECT_FALSE(fit(work, {builtin_gpus().find_card("T4")}, builtin_compatibility(), nullptr).any());
}

TEST(Fit, OnlyAsManyAsMayBeTaken) {
  const FitResult result = fit_all(inference(70e9), nullptr, 1);
  EXPECT_EQ(of(result, "H100 80GB").count, 0u);
}

TEST(Fit, CheapestComesFirstAndMissingPricesAreNamed) {
  const PriceTable prices{
      .file = "p", .currency = "USD", .source = "s", .per_hour = {{"A100", 2}, {"L4", 3}}};
  const FitResult result = fit_all(inference(7e9), &prices);
  EXPECT_EQ(result.gpus.front().card->model, "A100");
  EXPECT_EQ(result.gpus.front().price, 2);
  EXPECT_TRUE(std::count(result.no_price.begin(), result.no_price.end(), "T4"));
  EXPECT_FALSE(std::count(result.no_price.begin(), result.no_price.end(), "L4"));
}

TEST(Fit, SaysWhatAnOldGpuLacks) {
  const FitResult result = fit_all(inference(1e9));
  EXPECT_EQ(of(result, "T4").notes,
            (std::vector<std::string>{"no bf16 tensor cores: use fp16",
                                      "no flash attention 2: the memory-efficient kernel"}));
  EXPECT_TRUE(of(result, "H100 80GB").notes.empty());
}

// 3,350 GB/s over 16.06 GB of weights is what an H100 cannot exceed for one sequence.
TEST(Fit, DecodingIsBoundByBandwidth) {
  Workload work = inference(8.03e9);
  work.length = 1;
  EXPECT_NEAR(of(fit_all(work), "H100 80GB").tokens_bound, 3350 / 16.06, 0.1);
}

TEST(Prices, AreReadStrictly) {
  const PriceTable table = parse_prices(
      "schema: imgprices/v1\ncurrency: EUR\nsource: my contract\nper_hour: {T4: \"0.52\"}\n", "p");
  EXPECT_EQ(table.find("T4"), 0.52);
  EXPECT_EQ(table.find("A100 80GB", "A100"), std::nullopt);
  const auto refuse = [](const std::string& text) {
    try {
      parse_prices(text, "p");
    } catch (const ManifestError& error) {
      return error.text().message;
    }
    return std::string("read");
  };
  const std::string head = "schema: imgprices/v1\ncurrency: EUR\nsource: s\n";
  EXPECT_EQ(refuse(head + "per_hour: {T4: free}\n"), "'free' is no price above 0");
  EXPECT_EQ(refuse(head + "per_hour: {}\n"), "the price table has no prices");
  EXPECT_EQ(refuse("schema: imgprices/v2\n"), "unknown schema 'imgprices/v2'");
}

}  // namespace
}  // namespace img
