// SPDX-License-Identifier: Apache-2.0
// Which GPUs hold a workload, how many of them, and which is the cheapest.
#pragma once

#include "builder/base/json.h"
#include "validators/sizing/gpus.h"
#include "validators/sizing/memory.h"
#include "validators/sizing/prices.h"

#include <optional>
#include <string>
#include <vector>

namespace img {

enum class FitVerdict {
  fits,
  tight,  ///< more than 90 % of the memory: fragmentation or a longer batch ends it
  no,
};
std::string_view to_string(FitVerdict verdict);

struct GpuFit {
  const GpuCard* card = nullptr;
  FitVerdict verdict = FitVerdict::no;  ///< on one of them
  double share = 0;                     ///< of its memory, on one
  unsigned count = 0;      ///< fewest that hold it when split, of 1, 2, 4, 8; 0: not even eight
  double count_share = 0;  ///< of the memory of each of those
  std::optional<double> price;  ///< of one hour of all of them; nullopt: no price, or it never fits
  double tokens_bound =
      0;  ///< decode: most tokens a second and sequence; 0: not inference, unknown
  std::vector<std::string> notes;
};

struct FitResult {
  Workload workload;
  MemoryEstimate estimate;
  std::vector<RuleOfThumb> rules;
  std::vector<GpuFit> gpus;           ///< best first: cheapest that hold it, then smallest
  std::vector<std::string> no_price;  ///< cards that the price table lacks
  std::string currency;               ///< empty: no prices were given
  std::string price_source;
  unsigned most = 8;  ///< GPUs that may be taken together

  bool any() const;  ///< something holds it
};

/// `most`: how many GPUs may be taken together, 1 to 8. `prices` may be nullptr.
FitResult fit(const Workload& workload, const std::vector<const GpuCard*>& cards,
              const Compatibility& table, const PriceTable* prices, unsigned most = 8);

std::string fit_text(const FitResult& result);
Json fit_json(const FitResult& result);

}  // namespace img
