// SPDX-License-Identifier: Apache-2.0
// A table of prices that a user keeps; none is built in.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace img {

struct PriceTable {
  std::string file;                        ///< as the user named it
  std::string currency;                    ///< "USD"
  std::string source;                      ///< where the prices come from
  std::string date;                        ///< when they were so; empty: not said
  double billing_seconds = 1;              ///< time is rounded up to a multiple of it
  std::map<std::string, double> per_hour;  ///< GPU or card → price of one hour

  /// By the name of the card, then of its model.
  std::optional<double> find(std::string_view card, std::string_view model = {}) const;
};

/// ManifestError with position for anything that is not of the form of a price table.
PriceTable parse_prices(std::string text, const std::string& name);

/// Seconds that are billed for `seconds` of use.
double billed_seconds(double seconds, double billing_seconds);

}  // namespace img
