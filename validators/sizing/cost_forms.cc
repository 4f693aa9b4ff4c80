// SPDX-License-Identifier: Apache-2.0
// The answer about costs for a terminal and as JSON, with the arithmetic in it.

#include "builder/base/text.h"
#include "validators/sizing/cost.h"
#include "validators/sizing/quantity.h"

#include <cmath>
#include <utility>

namespace img {
namespace {

std::string padded(std::string text, std::size_t width) {
  const std::size_t columns = display_width(text);
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

std::string percent(double share) { return fixed(share * 100, 0) + " %"; }

/// "20", "2.5"
std::string plain(double value) {
  return value == std::floor(value) ? with_commas(static_cast<std::uint64_t>(value))
                                    : fixed(value, 2);
}

class Text {
 public:
  explicit Text(const CostResult& result) : result_(result), request_(result.request) {}

  std::string run() {
    line(request_.gpu + " at " + price(request_.price_per_hour) + " an hour (" +
         request_.price_source + "), billed by " + duration_words(request_.billing_seconds));
    for (const CostCase& one : result_.cases) add_case(one);
    if (result_.saving) add_saving();
    if (result_.saving_year) add_year();
    if (result_.wage_saving) add_wage();
    if (request_.claimed_year && result_.saving_year) add_claim();
    return out_;
  }

 private:
  void line(const std::string& text) { out_ += text + "\n"; }
  std::string price(double amount) const { return money(amount, request_.currency); }

  void add_case(const CostCase& one) {
    line("");
    line(one.name);
    for (const StartPhase& phase : one.phases) {
      line("  " + padded(phase.name, 18) + padded(duration_words(phase.seconds), 14) +
           phase.origin);
    }
    line("  " + padded("work", 18) + duration_words(one.work));
    line("  " + padded("in all", 18) + padded(duration_words(one.setup + one.work), 14) +
         "billed " + duration_words(one.billed) + " × " + price(request_.price_per_hour) +
         " / h = " + price(one.price));
    line("  " + padded("useful", 18) + padded(percent(one.useful_share()), 14) +
         duration_words(one.work) + " of " + duration_words(one.setup + one.work));
  }

  void add_saving() {
    const CostCase& manual = result_.cases.front();
    const CostCase& image = result_.cases.back();
    line("");
    if (*result_.saving < 0) {
      line("an image costs more here: " + price(image.price) + " - " + price(manual.price) + " = " +
           price(-*result_.saving) + " a run");
      return;
    }
    line("saved a run: " + price(manual.price) + " - " + price(image.price) + " = " +
         price(*result_.saving) + ", " + fixed(manual.price / image.price, 1) + " times cheaper");
  }

  void add_year() {
    line("saved a year: " + plain(request_.jobs_per_day) + " runs a day × " + plain(request_.days) +
         " days × " + price(*result_.saving) + " = " + price(*result_.saving_year));
  }

  void add_wage() {
    const CostCase& manual = result_.cases.front();
    line("waiting: " + duration_words(manual.setup) + " of a person at " + price(*request_.wage) +
         " an hour = " + price(manual.setup / 3600 * *request_.wage) + " a manual run, " +
         price(*result_.wage_saving) + " of it saved");
  }

  void add_claim() {
    const double claimed = *request_.claimed_year, computed = *result_.saving_year;
    std::string verdict = "right within 5 %";
    if (computed <= 0) {
      verdict = "nothing is saved here";
    } else if (claimed > computed * 1.05) {
      verdict = fixed(claimed / computed, 1) + " times too high";
    } else if (claimed < computed * 0.95) {
      verdict = fixed(computed / claimed, 1) + " times too low";
    }
    line("claimed a year: " + price(claimed) + ": " + verdict);
  }

  const CostResult& result_;
  const CostRequest& request_;
  std::string out_;
};

double rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json optional_number(const std::optional<double>& value) {
  return value ? Json(rounded(*value)) : Json();
}

Json case_json(const CostCase& one) {
  Json phases = Json::array();
  for (const StartPhase& phase : one.phases) {
    phases.push_back(
        {{"name", phase.name}, {"seconds", rounded(phase.seconds)}, {"origin", phase.origin}});
  }
  return {{"name", one.name},
          {"phases", std::move(phases)},
          {"setupSeconds", rounded(one.setup)},
          {"workSeconds", rounded(one.work)},
          {"billedSeconds", rounded(one.billed)},
          {"price", rounded(one.price)},
          {"usefulShare", rounded(one.useful_share())}};
}

}  // namespace

std::string cost_text(const CostResult& result) { return Text(result).run(); }

Json cost_json(const CostResult& result) {
  const CostRequest& request = result.request;
  Json cases = Json::array();
  for (const CostCase& one : result.cases) cases.push_back(case_json(one));
  return {{"gpu", request.gpu},
          {"pricePerHour", request.price_per_hour},
          {"currency", request.currency},
          {"priceSource", request.price_source},
          {"billingSeconds", request.billing_seconds},
          {"cases", std::move(cases)},
          {"jobsPerDay", request.jobs_per_day},
          {"days", request.days},
          {"savingPerRun", optional_number(result.saving)},
          {"savingPerYear", optional_number(result.saving_year)},
          {"waitingSavedPerRun", optional_number(result.wage_saving)},
          {"claimedPerYear", optional_number(request.claimed_year)}};
}

}  // namespace img
