// SPDX-License-Identifier: Apache-2.0
// imgcheck cost: what starts of a job cost, by hand and from an image, and what that is in a year.

#include "validators/sizing/cost.h"

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/base/text.h"
#include "builder/commands/program.h"
#include "validators/commands/commands.h"
#include "validators/sizing/gpus.h"
#include "validators/sizing/prices.h"
#include "validators/sizing/quantity.h"

#include <memory>

namespace img {
namespace {

struct CostFlags {
  std::string report, price, currency = "USD", prices, work, manual, image, pull_rate, wage, claim;
  std::string jobs, days;
  std::vector<std::string> gpus, phases;
};

double duration_of(const std::string& text, const char* option) {
  const auto seconds = parse_duration(text);
  if (!seconds) {
    throw UsageError(ErrorText{.message = "'" + text + "' is no time for '" + option + "'",
                               .hint = "write it as 45s, 12min or 1h30m"});
  }
  return *seconds;
}

double number_of(const std::string& text, const char* option) {
  const auto number = parse_number(text);
  if (!number) throw UsageError("'" + text + "' is no number for '" + option + "'");
  return *number;
}

/// Phases of the report, replaced or joined by those of the command line.
std::vector<StartPhase> image_phases(const CostFlags& flags, std::vector<std::string>& missing) {
  std::vector<StartPhase> phases;
  if (!flags.report.empty()) {
    std::optional<double> rate;
    if (!flags.pull_rate.empty()) {
      const auto size = parse_size(flags.pull_rate);
      if (!size || *size == 0) {
        throw UsageError(
            ErrorText{.message = "'" + flags.pull_rate + "' is no rate for '--pull-rate'",
                      .hint = "write bytes a second, as 125MB"});
      }
      rate = static_cast<double>(*size);
    }
    StartPhases start = start_phases_of(parse_report(read_file(flags.report), flags.report), rate);
    phases = std::move(start.phases);
    missing = std::move(start.missing);
  }
  if (!flags.image.empty()) {
    phases = {{.name = "start", .seconds = duration_of(flags.image, "--image"), .origin = "given"}};
    missing.clear();
  }
  for (const std::string& text : flags.phases) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw UsageError(ErrorText{.message = "'" + text + "' is no phase",
                                 .hint = "write it as --phase pull=25s"});
    }
    const std::string name = text.substr(0, equals);
    std::erase_if(phases, [&](const StartPhase& phase) { return phase.name == name; });
    phases.push_back({.name = name,
                      .seconds = duration_of(text.substr(equals + 1), "--phase"),
                      .origin = "given"});
  }
  return phases;
}

CostRequest request_of(const CostFlags& flags, std::vector<std::string>& missing) {
  CostRequest request;
  request.image = image_phases(flags, missing);
  if (!flags.manual.empty()) {
    request.manual = {
        {.name = "set-up", .seconds = duration_of(flags.manual, "--manual"), .origin = "given"}};
  }
  if (!flags.work.empty()) request.work = duration_of(flags.work, "--work");
  if (!flags.jobs.empty()) request.jobs_per_day = number_of(flags.jobs, "--jobs");
  if (!flags.days.empty()) request.days = number_of(flags.days, "--days");
  if (!flags.wage.empty()) request.wage = number_of(flags.wage, "--wage");
  if (!flags.claim.empty()) request.claimed_year = number_of(flags.claim, "--claim");
  return request;
}

/// Whether the price of this GPU is known; says so when it is not.
bool set_price(CostRequest& request, const CostFlags& flags, const PriceTable* prices,
               const std::string& gpu) {
  request.gpu = gpu;
  if (prices == nullptr) {
    request.price_per_hour = number_of(flags.price, "--price");
    request.currency = flags.currency;
    request.price_source = "given";
    if (request.price_per_hour <= 0) throw UsageError("a GPU that costs nothing has no price");
    return true;
  }
  const GpuCard* const card = builtin_gpus().find_card(gpu);
  const auto price = prices->find(gpu, card == nullptr ? "" : card->model);
  if (!price) {
    std::vector<std::string> names;
    for (const auto& [name, amount] : prices->per_hour) names.push_back(name);
    const auto near = did_you_mean(gpu, names);
    print_error(InputError(
        ErrorText{.message = "there is no price for '" + gpu + "' in '" + prices->file + "'",
                  .hint = near ? "did you mean '" + *near + "'?"
                               : "it has " + join(names, ", ") + "; or give --price"}));
    return false;
  }
  request.price_per_hour = *price;
  request.currency = prices->currency;
  request.price_source = prices->source + (prices->date.empty() ? "" : ", " + prices->date);
  request.billing_seconds = prices->billing_seconds;
  return true;
}

ExitCode run_cost(Console& console, const CostFlags& flags) {
  if (flags.price.empty() == flags.prices.empty()) {
    throw UsageError(
        ErrorText{.message = flags.price.empty() ? "no price is given" : "two prices are given",
                  .hint = "give --prices FILE or --price AMOUNT; none is built in"});
  }
  std::vector<std::string> missing;
  CostRequest request = request_of(flags, missing);
  std::optional<PriceTable> prices;
  if (!flags.prices.empty()) prices = parse_prices(read_file(flags.prices), flags.prices);
  bool complete = true;
  Json results = Json::array();
  std::string text;
  for (const std::string& gpu : flags.gpus) {
    if (!set_price(request, flags, prices ? &*prices : nullptr, gpu)) {
      complete = false;
      continue;
    }
    const CostResult result = compute_cost(request);
    results.push_back(cost_json(result));
    text += (text.empty() ? "" : "\n") + cost_text(result);
  }
  if (console.json()) {
    console.print_json({{"results", std::move(results)}, {"notCounted", missing}});
  } else {
    for (const std::string& what : missing) text += "note: not counted: " + what + "\n";
    console.write(results.empty() ? "" : text);
  }
  return complete ? ExitCode::ok : ExitCode::usage;
}

}  // namespace

void add_cost_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<CostFlags>();
  CLI::App* command = app.add_subcommand("cost", "Say what starting a job costs");
  command->add_option("REPORT", flags->report,
                      "JSON report with the container tier, for\nits cold start");
  command->add_option("--gpu", flags->gpus, "GPU that is paid for (may be repeated)")->required();
  command->add_option("--prices", flags->prices, "Price table");
  command->add_option("--price", flags->price, "Of one hour, instead of a table");
  command->add_option("--currency", flags->currency, "Of --price; default: USD");
  command->add_option("--work", flags->work, "Useful work of a run: 3min")->required();
  command->add_option("--image", flags->image, "Start from the image, in all: 45s");
  command->add_option("--phase", flags->phases,
                      "One phase of it: pull=25s; replaces the\nreport's (may be repeated)");
  command->add_option("--pull-rate", flags->pull_rate,
                      "Bytes a second, to count the pull of the report's\nimage: 125MB");
  command->add_option("--manual", flags->manual, "Set-up by hand, to compare with: 12min");
  command->add_option("--jobs", flags->jobs, "Runs a day, to count a year");
  command->add_option("--days", flags->days, "Days of a year; default: 365");
  command->add_option("--wage", flags->wage, "Of one hour of the person who waits");
  command->add_option("--claim", flags->claim, "Saving of a year that somebody claims");
  command->footer("Exit status: 0 done, 2 usage, or a price is missing (the other GPUs are told).");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_cost(console, *flags); };
  });
}

}  // namespace img
