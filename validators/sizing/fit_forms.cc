// SPDX-License-Identifier: Apache-2.0
// The answer of a fit for a terminal and as JSON.

#include "builder/base/text.h"
#include "validators/sizing/fit.h"
#include "validators/sizing/quantity.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace img {
namespace {

constexpr std::size_t kNameWidth = 24;

std::string padded(std::string text, std::size_t width) {
  const std::size_t columns = display_width(text);
  if (columns < width) text.append(width - columns, ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  const std::size_t columns = display_width(text);
  return (columns < width ? std::string(width - columns, ' ') : "") + text;
}

std::string gigabytes(double bytes) { return fixed(bytes / 1e9, 2) + " GB"; }
std::string percent(double share) { return fixed(share * 100, 0) + " %"; }

std::string workload_line(const Workload& work) {
  std::string line = std::string(to_string(work.task)) + ", " + fixed(work.parameters / 1e9, 2) +
                     " billion parameters in " + std::string(to_string(work.weights)) + ", batch " +
                     std::to_string(work.batch) + " × " + with_commas(work.length) + " tokens";
  if (work.is_training()) {
    line += ", " + std::string(to_string(work.optimizer)) +
            (work.checkpointing ? ", checkpointing" : ", no checkpointing");
  }
  if (work.has_adapters()) line += ", adapters of rank " + std::to_string(work.lora_rank);
  return line;
}

std::string shape_line(const ModelShape& shape) {
  return std::to_string(shape.layers) + " layers of " + with_commas(shape.hidden) + ", " +
         std::to_string(shape.heads) + " heads (" + std::to_string(shape.kv_heads) +
         " of keys and values), feed-forward " + with_commas(shape.ffn) +
         (shape.gated ? " gated" : "") + ", vocabulary " + with_commas(shape.vocab);
}

std::string parts_text(const MemoryEstimate& estimate) {
  std::string out;
  for (const MemoryPart& part : estimate.parts) {
    out += "  " + padded(part.name, 12) + right(gigabytes(part.bytes), 11) + "   " + part.formula +
           "\n" + std::string(28, ' ') + "= " + part.numbers + "\n";
  }
  return out + "  " + padded("in all", 12) + right(gigabytes(estimate.total()), 11) + "\n";
}

std::string rules_text(const FitResult& result) {
  std::string out;
  for (const RuleOfThumb& rule : result.rules) {
    const char* const verdict = !rule.applies ? "is about something else"
                                : rule.holds  ? "holds here"
                                              : "fails here";
    out += "  \"" + rule.rule + "\" " + verdict + ": " + rule.why + "\n";
  }
  return out;
}

std::string count_words(const GpuFit& fit) {
  if (fit.count == 0) return "-";
  return std::to_string(fit.count) + " at " + percent(fit.count_share);
}

std::string gpu_row(const GpuFit& fit, const FitResult& result) {
  std::string row = "  " + padded(fit.card->name, kNameWidth) +
                    right(gigabytes(static_cast<double>(fit.card->usable())), 10) + "  " +
                    padded(std::string(to_string(fit.verdict)), 6) +
                    right(fit.share < 10 ? percent(fit.share) : "> 999 %", 7) + "  " +
                    padded(count_words(fit), 10);
  if (!result.currency.empty()) {
    row += right(fit.price ? money(*fit.price, result.currency) : "no price", 11);
  }
  if (fit.tokens_bound > 0) row += right(fixed(fit.tokens_bound, 0), 10);
  std::string notes = join(fit.notes, "; ");
  if (!notes.empty()) row += "  " + notes;
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

std::string gpus_text(const FitResult& result) {
  const bool decode = result.workload.task == Task::inference;
  std::string out = "  " + padded("GPU", kNameWidth) + right("usable", 10) + "  one    needs    " +
                    "smallest  " + (result.currency.empty() ? "" : right("an hour", 11)) +
                    (decode ? right("tokens/s", 10) : "");
  out.erase(out.find_last_not_of(' ') + 1);
  out += "\n";
  for (const GpuFit& fit : result.gpus) out += gpu_row(fit, result);
  return out;
}

std::string answer(const FitResult& result) {
  const GpuFit* const best = result.gpus.empty() ? nullptr : &result.gpus.front();
  if (best == nullptr || best->count == 0) {
    return "none of these GPUs holds it" +
           std::string(result.most > 1 ? ", not even " + std::to_string(result.most) + " of them"
                                       : "");
  }
  const std::string many = best->count == 1
                               ? "one " + best->card->name
                               : std::to_string(best->count) + " × " + best->card->name +
                                     " with weights and states split evenly";
  if (best->price)
    return "cheapest that holds it: " + many + ", " + money(*best->price, result.currency) +
           " an hour";
  if (!result.currency.empty()) return "nothing that holds it has a price; smallest: " + many;
  return "smallest that holds it: " + many + " (no prices were given)";
}

double rounded(double value) { return std::round(value * 1000) / 1000; }

Json gpu_json(const GpuFit& fit) {
  return {{"gpu", fit.card->name},
          {"model", fit.card->model},
          {"usableBytes", fit.card->usable()},
          {"memoryReported", fit.card->reported != 0},
          {"evidence", fit.card->evidence},
          {"verdict", to_string(fit.verdict)},
          {"share", rounded(fit.share)},
          {"count", fit.count == 0 ? Json() : Json(fit.count)},
          {"countShare", fit.count == 0 ? Json() : Json(rounded(fit.count_share))},
          {"pricePerHour", fit.price ? Json(*fit.price) : Json()},
          {"decodeTokensPerSecondBound",
           fit.tokens_bound > 0 ? Json(rounded(fit.tokens_bound)) : Json()},
          {"notes", fit.notes}};
}

Json shape_json(const ModelShape& shape) {
  return {{"layers", shape.layers},    {"hidden", shape.hidden},  {"heads", shape.heads},
          {"kvHeads", shape.kv_heads}, {"ffn", shape.ffn},        {"vocab", shape.vocab},
          {"gated", shape.gated},      {"guessed", shape.guessed}};
}

Json workload_json(const Workload& work) {
  return {{"parameters", static_cast<std::uint64_t>(work.parameters)},
          {"shape", shape_json(work.shape)},
          {"task", to_string(work.task)},
          {"precision", to_string(work.weights)},
          {"kvPrecision", to_string(work.kv)},
          {"optimizer", work.is_training() ? Json(to_string(work.optimizer)) : Json()},
          {"batch", work.batch},
          {"length", work.length},
          {"checkpointing", work.checkpointing},
          {"fusedAttention", work.fused_attention},
          {"masterWeights", work.master_weights},
          {"fp32Gradients", work.fp32_gradients},
          {"loraRank", work.has_adapters() ? Json(work.lora_rank) : Json()},
          {"adapterParameters", static_cast<std::uint64_t>(work.adapter_parameters())}};
}

}  // namespace

std::string fit_text(const FitResult& result) {
  std::string out =
      workload_line(result.workload) + "\n" + shape_line(result.workload.shape) + "\n";
  if (result.workload.shape.guessed) {
    out +=
        "note: the shape is guessed from the number of parameters; give --layers, --hidden, "
        "--heads, --kv-heads, --ffn and --vocab for the real one\n";
  }
  out += "\nmemory\n" + parts_text(result.estimate) + "\nrules of thumb\n" + rules_text(result) +
         "\nGPUs\n" + gpus_text(result);
  if (result.workload.task == Task::inference) {
    out += "  tokens/s: at most, for one sequence: bandwidth / (weights + its cache)\n";
  }
  for (const std::string& card : result.no_price) {
    out += "note: there is no price for '" + card + "'\n";
  }
  if (!result.price_source.empty()) out += "prices: " + result.price_source + "\n";
  return out + "\n" + answer(result) + "\n";
}

Json fit_json(const FitResult& result) {
  Json parts = Json::array(), rules = Json::array(), gpus = Json::array();
  for (const MemoryPart& part : result.estimate.parts) {
    parts.push_back({{"name", part.name},
                     {"bytes", static_cast<std::uint64_t>(part.bytes)},
                     {"formula", part.formula},
                     {"numbers", part.numbers},
                     {"shared", part.shared}});
  }
  for (const RuleOfThumb& rule : result.rules) {
    rules.push_back(
        {{"rule", rule.rule}, {"applies", rule.applies}, {"holds", rule.holds}, {"why", rule.why}});
  }
  for (const GpuFit& fit : result.gpus) gpus.push_back(gpu_json(fit));
  return {{"workload", workload_json(result.workload)},
          {"parts", std::move(parts)},
          {"totalBytes", static_cast<std::uint64_t>(result.estimate.total())},
          {"rules", std::move(rules)},
          {"gpus", std::move(gpus)},
          {"noPrice", result.no_price},
          {"currency", result.currency.empty() ? Json() : Json(result.currency)},
          {"priceSource", result.price_source.empty() ? Json() : Json(result.price_source)},
          {"answer", answer(result)}};
}

}  // namespace img
