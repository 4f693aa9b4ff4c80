// SPDX-License-Identifier: Apache-2.0
// Reads a price table, strictly.

#include "validators/sizing/prices.h"

#include "builder/base/yaml.h"
#include "validators/sizing/quantity.h"

#include <cmath>

namespace img {
namespace {

double positive(const YamlNode& node, const std::string& what) {
  const auto number = parse_number(node.as_text(what));
  if (!number || *number <= 0) node.fail("'" + node.text() + "' is no " + what + " above 0");
  return *number;
}

}  // namespace

std::optional<double> PriceTable::find(std::string_view card, std::string_view model) const {
  for (const std::string_view name : {card, model}) {
    const auto price = per_hour.find(std::string(name));
    if (price != per_hour.end()) return price->second;
  }
  return std::nullopt;
}

PriceTable parse_prices(std::string text, const std::string& name) {
  const YamlNode root = parse_yaml(std::move(text), name);
  YamlReader reader(root, "the price table");
  const YamlNode& schema = reader.required("schema");
  if (schema.as_text(reader.name_of("schema")) != "imgprices/v1") {
    schema.fail("unknown schema '" + schema.text() + "'", "write 'imgprices/v1'");
  }
  PriceTable table{.file = name};
  table.currency = reader.text("currency");
  table.source = reader.text("source");
  table.date = reader.text_or("date", "");
  if (const YamlNode* billing = reader.optional("billing_seconds")) {
    table.billing_seconds = positive(*billing, "number of seconds");
  }
  const YamlNode& prices = reader.required("per_hour");
  for (const auto& [gpu, price] : prices.as_mapping(reader.name_of("per_hour"))) {
    table.per_hour[gpu.text()] = positive(price, "price");
  }
  if (table.per_hour.empty()) prices.fail("the price table has no prices");
  reader.finish();
  return table;
}

double billed_seconds(double seconds, double billing_seconds) {
  // A hair over a multiple is that multiple: durations are sums of decimals.
  return std::ceil(seconds / billing_seconds - 1e-9) * billing_seconds;
}

}  // namespace img
