// SPDX-License-Identifier: Apache-2.0
// Holds an estimate against each GPU and orders them.

#include "validators/sizing/fit.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <tuple>

namespace img {
namespace {

constexpr double kTight = 0.9;
constexpr std::array<unsigned, 4> kCounts{1, 2, 4, 8};

double usable(const GpuCard& card) { return static_cast<double>(card.usable()); }

std::vector<std::string> notes_of(const Workload& workload, const GpuCard& card,
                                  const Compatibility& table) {
  std::vector<std::string> notes;
  const GpuModel* const model = table.find_gpu(card.model);
  if (model == nullptr) return notes;
  const auto older_than = [&](int major, int minor) {
    return model->compute < ComputeCapability(major, minor);
  };
  if (workload.weights == Number::bf16 && older_than(8, 0)) {
    notes.emplace_back("no bf16 tensor cores: use fp16");
  }
  if (workload.weights == Number::fp8 && older_than(8, 9)) {
    notes.emplace_back("no fp8 tensor cores: weights only");
  }
  if (workload.fused_attention && older_than(8, 0)) {
    notes.emplace_back("no flash attention 2: the memory-efficient kernel");
  }
  if (card.reported == 0) notes.emplace_back("memory: 95 % of its label");
  return notes;
}

/// Each token of one sequence reads all weights and its cache once.
double decode_bound(const Workload& workload, const MemoryEstimate& estimate, const GpuCard& card) {
  if (workload.task != Task::inference || card.bandwidth <= 0) return 0;
  const double cache = estimate.part("KV cache") / static_cast<double>(workload.batch);
  return card.bandwidth / (estimate.part("weights") + cache);
}

GpuFit fit_one(const Workload& workload, const MemoryEstimate& estimate, const GpuCard& card,
               const Compatibility& table, unsigned most) {
  GpuFit fit{.card = &card};
  fit.share = estimate.total() / usable(card);
  fit.verdict = fit.share <= kTight ? FitVerdict::fits
                : fit.share <= 1    ? FitVerdict::tight
                                    : FitVerdict::no;
  for (const unsigned count : kCounts) {
    if (count > most) break;
    const double share = estimate.share(count) / usable(card);
    // One that is tight still counts: it is said to be tight.
    if (share > (count == 1 ? 1 : kTight)) continue;
    fit.count = count;
    fit.count_share = share;
    break;
  }
  fit.notes = notes_of(workload, card, table);
  if (fit.verdict != FitVerdict::no) fit.tokens_bound = decode_bound(workload, estimate, card);
  return fit;
}

/// Those with room before those that are tight, both before none; by price where there is one, else
/// one card before several and less memory before more.
bool is_better(const GpuFit& left, const GpuFit& right) {
  static constexpr double kNoPrice = 1e300;
  const auto rank = [](const GpuFit& fit) {
    const bool is_one = fit.verdict == FitVerdict::fits;
    const int kind = fit.count == 0                     ? 3
                     : fit.verdict == FitVerdict::tight ? 1
                     : is_one || fit.price.has_value()  ? 0
                                                        : 2;
    const double memory = usable(*fit.card) * std::max(1u, fit.count);
    return std::tuple(kind, fit.price.value_or(kNoPrice), memory);
  };
  return rank(left) < rank(right);
}

}  // namespace

std::string_view to_string(FitVerdict verdict) {
  switch (verdict) {
    case FitVerdict::fits:
      return "fits";
    case FitVerdict::tight:
      return "tight";
    default:
      return "no";
  }
}

bool FitResult::any() const {
  return std::any_of(gpus.begin(), gpus.end(), [](const GpuFit& fit) { return fit.count != 0; });
}

FitResult fit(const Workload& workload, const std::vector<const GpuCard*>& cards,
              const Compatibility& table, const PriceTable* prices, unsigned most) {
  FitResult result{.workload = workload, .estimate = estimate_memory(workload), .most = most};
  result.rules = judge_rules(workload, result.estimate);
  if (prices != nullptr) {
    result.currency = prices->currency;
    result.price_source = prices->source + (prices->date.empty() ? "" : ", " + prices->date);
  }
  for (const GpuCard* card : cards) {
    GpuFit one = fit_one(workload, result.estimate, *card, table, most);
    if (prices != nullptr) {
      const auto price = prices->find(card->name, card->model);
      if (!price) result.no_price.push_back(card->name);
      if (price && one.count != 0) one.price = *price * one.count;
    }
    result.gpus.push_back(std::move(one));
  }
  std::stable_sort(result.gpus.begin(), result.gpus.end(), is_better);
  return result;
}

}  // namespace img
