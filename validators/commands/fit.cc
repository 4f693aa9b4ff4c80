// SPDX-License-Identifier: Apache-2.0
// imgcheck fit: how much memory a workload takes, and which GPU holds it.

#include "validators/sizing/fit.h"

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/base/text.h"
#include "validators/commands/commands.h"
#include "validators/sizing/quantity.h"

#include <memory>

namespace img {
namespace {

struct FitFlags {
  std::string parameters, task = "inference", precision, kv, optimizer = "adamw", prices;
  std::string context;
  std::uint64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, ffn = 0, vocab = 0;
  std::uint64_t batch = 1, length = 2048, rank = 16;
  unsigned most = 8;
  bool plain_ffn = false, checkpointing = false, no_fused = false, no_master = false;
  bool fp32_gradients = false;
  std::vector<std::string> gpus;
};

template <typename Value>
Value one_of(const std::string& text, const char* what, const std::vector<std::string>& names,
             std::optional<Value> (*parse)(std::string_view)) {
  if (const auto value = parse(text)) return *value;
  const auto near = did_you_mean(text, names);
  throw UsageError(
      ErrorText{.message = "'" + text + "' is no " + what,
                .hint = near ? "did you mean '" + *near + "'?" : "use " + join(names, ", ")});
}

/// The real numbers where they are given, guesses for the rest.
ModelShape shape_of(const FitFlags& flags, double parameters) {
  ModelShape shape = guess_shape(parameters);
  const auto take = [](std::uint64_t& value, std::uint64_t given) {
    if (given != 0) value = given;
  };
  const bool core = flags.layers != 0 && flags.hidden != 0 && flags.heads != 0;
  if (flags.hidden != 0 && flags.ffn == 0) shape.ffn = (flags.hidden * 8 / 3 + 255) / 256 * 256;
  take(shape.layers, flags.layers);
  take(shape.hidden, flags.hidden);
  take(shape.heads, flags.heads);
  shape.kv_heads = flags.kv_heads != 0 ? flags.kv_heads : shape.heads;
  take(shape.ffn, flags.ffn);
  take(shape.vocab, flags.vocab);
  shape.gated = !flags.plain_ffn;
  shape.guessed = !core || flags.ffn == 0 || flags.vocab == 0;
  return shape;
}

Workload workload_of(const FitFlags& flags) {
  const auto parameters = parse_count(flags.parameters);
  if (!parameters) {
    throw UsageError(ErrorText{.message = "'" + flags.parameters + "' is no number of parameters",
                               .hint = "write it as 7B, 350M or 125000000"});
  }
  Workload work{.parameters = *parameters};
  work.task = one_of(flags.task, "task", {"inference", "train", "lora", "qlora"}, parse_task);
  const std::string usual = work.task == Task::qlora ? "nf4" : "bf16";
  work.weights = one_of(flags.precision.empty() ? usual : flags.precision, "precision",
                        number_type_names(), parse_number_type);
  work.kv = flags.kv.empty()
                ? (work.weights == Number::fp32 ? Number::fp32 : Number::bf16)
                : one_of(flags.kv, "precision", number_type_names(), parse_number_type);
  work.optimizer = one_of(flags.optimizer, "optimizer", {"adamw", "adamw8bit", "momentum", "sgd"},
                          parse_optimizer);
  work.batch = flags.batch;
  work.length = flags.length;
  work.lora_rank = flags.rank;
  work.checkpointing = flags.checkpointing;
  work.fused_attention = !flags.no_fused;
  work.master_weights = !flags.no_master;
  work.fp32_gradients = flags.fp32_gradients;
  if (!flags.context.empty()) {
    const auto context = parse_size(flags.context);
    if (!context) throw UsageError("'" + flags.context + "' is no size of a context");
    work.context = *context;
  }
  if (*parameters >= 1 && *parameters <= 1e14) work.shape = shape_of(flags, *parameters);
  require_possible(work);
  return work;
}

/// Cards by their own name, or all cards of a model.
std::vector<const GpuCard*> cards_of(const FitFlags& flags, const GpuTable& table) {
  if (flags.gpus.empty()) return table.cards();
  std::vector<const GpuCard*> chosen;
  for (const std::string& name : flags.gpus) {
    if (const GpuCard* card = table.find_card(name)) {
      chosen.push_back(card);
      continue;
    }
    const GpuEntry* const entry = table.find(name);
    if (entry == nullptr) {
      std::vector<std::string> names;
      for (const GpuCard* card : table.cards()) names.push_back(card->name);
      const auto near = did_you_mean(name, names);
      throw UsageError(ErrorText{
          .message = "the table has no GPU '" + name + "'",
          .hint = near ? "did you mean '" + *near + "'?" : "use one of " + join(names, ", ")});
    }
    for (const GpuCard& card : entry->cards) chosen.push_back(&card);
  }
  return chosen;
}

ExitCode run_fit(Console& console, const FitFlags& flags) {
  if (flags.most < 1 || flags.most > 8) {
    throw UsageError(ErrorText{.message = "'" + std::to_string(flags.most) + "' GPUs are no node",
                               .hint = "--most takes 1 to 8"});
  }
  const Workload work = workload_of(flags);
  const std::vector<const GpuCard*> cards = cards_of(flags, builtin_gpus());
  std::optional<PriceTable> prices;
  if (!flags.prices.empty()) prices = parse_prices(read_file(flags.prices), flags.prices);
  const FitResult result =
      fit(work, cards, builtin_compatibility(), prices ? &*prices : nullptr, flags.most);
  if (console.json()) {
    console.print_json(fit_json(result));
  } else {
    console.write(fit_text(result));
  }
  return result.any() ? ExitCode::ok : ExitCode::difference;
}

void add_shape(CLI::App& command, FitFlags& flags) {
  command.add_option("--layers", flags.layers, "Layers; default: guessed from --params");
  command.add_option("--hidden", flags.hidden, "Width");
  command.add_option("--heads", flags.heads, "Attention heads");
  command.add_option("--kv-heads", flags.kv_heads, "Of keys and values; default: --heads");
  command.add_option("--ffn", flags.ffn, "Width of the feed-forward part");
  command.add_option("--vocab", flags.vocab, "Size of the vocabulary");
  command.add_flag("--plain-ffn", flags.plain_ffn, "Feed-forward without a gate (GPT, BERT)");
}

}  // namespace

void add_fit_command(CLI::App& app, ConsoleAction& chosen) {
  auto flags = std::make_shared<FitFlags>();
  CLI::App* command = app.add_subcommand("fit", "Say which GPU holds a workload");
  command->add_option("--params", flags->parameters, "Parameters: 7B, 350M")->required();
  command->add_option("--task", flags->task, "inference (default), train, lora or qlora");
  command->add_option("--precision", flags->precision,
                      "Of the weights: fp32, fp16, bf16 (default), fp8,\nint8 or nf4");
  command->add_option("--kv-precision", flags->kv, "Of the KV cache; default: 16 bits");
  command->add_option("--optimizer", flags->optimizer,
                      "adamw (default), adamw8bit, momentum or sgd");
  command->add_option("--batch", flags->batch, "Sequences at once; default: 1");
  command->add_option("--length", flags->length, "Tokens in each; default: 2048");
  command->add_option("--lora-rank", flags->rank, "Of adapters on all matrices; default: 16");
  command->add_flag("--checkpointing", flags->checkpointing,
                    "Compute activations again in the backward pass");
  command->add_flag("--no-fused-attention", flags->no_fused, "Keep the matrix of scores");
  command->add_flag("--no-master-weights", flags->no_master, "No fp32 copy beside 16-bit weights");
  command->add_flag("--fp32-gradients", flags->fp32_gradients, "Gradients of 4 bytes");
  command->add_option("--context", flags->context, "Context and workspaces; default: 500MB");
  add_shape(*command, *flags);
  command->add_option("--gpu", flags->gpus, "Only this GPU (may be repeated)");
  command->add_option("--most", flags->most, "GPUs that may share it, 1 to 8 (default)");
  command->add_option("--prices", flags->prices, "Price table, to find the cheapest");
  command->footer(
      "Exit status: 0 one of the GPUs holds it, 1 none does, 2 usage, an impossible\n"
      "workload, or a price table that cannot be read.");
  command->callback([flags, &chosen] {
    chosen = [flags](Console& console) { return run_fit(console, *flags); };
  });
}

}  // namespace img
