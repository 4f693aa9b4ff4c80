// SPDX-License-Identifier: Apache-2.0
// Names of workloads, sizes that follow from a shape, and what is impossible.

#include "validators/sizing/workload.h"

#include "builder/base/error.h"
#include "builder/base/text.h"
#include "validators/sizing/quantity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace img {
namespace {

constexpr std::array<std::pair<Number, std::string_view>, 6> kNumbers{{
    {Number::fp32, "fp32"},
    {Number::fp16, "fp16"},
    {Number::bf16, "bf16"},
    {Number::fp8, "fp8"},
    {Number::int8, "int8"},
    {Number::nf4, "nf4"},
}};
constexpr std::array<std::pair<Task, std::string_view>, 4> kTasks{{
    {Task::inference, "inference"},
    {Task::train, "train"},
    {Task::lora, "lora"},
    {Task::qlora, "qlora"},
}};
constexpr std::array<std::pair<Optimizer, std::string_view>, 4> kOptimizers{{
    {Optimizer::adamw, "adamw"},
    {Optimizer::adamw8bit, "adamw8bit"},
    {Optimizer::momentum, "momentum"},
    {Optimizer::sgd, "sgd"},
}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return "unknown";
}

template <typename Value, typename Table>
std::optional<Value> value_in(const Table& table, std::string_view text) {
  for (const auto& [value, name] : table) {
    if (name == text) return value;
  }
  return std::nullopt;
}

[[noreturn]] void impossible(const std::string& message, const std::string& hint = {}) {
  throw UsageError(ErrorText{.message = message, .hint = hint});
}

void require_shape(const ModelShape& shape) {
  const std::array<std::pair<std::uint64_t, const char*>, 6> numbers{{{shape.layers, "layers"},
                                                                      {shape.hidden, "hidden"},
                                                                      {shape.heads, "heads"},
                                                                      {shape.kv_heads, "kv-heads"},
                                                                      {shape.ffn, "ffn"},
                                                                      {shape.vocab, "vocab"}}};
  constexpr std::uint64_t kMost = 100'000'000;
  for (const auto& [value, name] : numbers) {
    if (value == 0) impossible("a model with 0 " + std::string(name) + " does not exist");
    if (value > kMost) {
      impossible("a model with " + with_commas(value) + " " + name + " does not exist");
    }
  }
  if (shape.hidden % shape.heads != 0) {
    impossible("a width of " + std::to_string(shape.hidden) + " cannot be shared by " +
               std::to_string(shape.heads) + " heads");
  }
  if (shape.heads % shape.kv_heads != 0) {
    impossible(std::to_string(shape.heads) + " heads cannot share " +
               std::to_string(shape.kv_heads) + " key-value heads");
  }
}

void require_precision(const Workload& workload) {
  const std::string name(to_string(workload.weights));
  const bool sixteen = workload.weights == Number::fp16 || workload.weights == Number::bf16;
  if (workload.task == Task::train && !sixteen && workload.weights != Number::fp32) {
    impossible("weights in " + name + " cannot be trained: their gradients are lost",
               "use --precision bf16, or --task qlora for adapters over 4-bit weights");
  }
  if (workload.task == Task::qlora && workload.weights != Number::nf4) {
    impossible("QLoRA keeps its frozen weights in 4 bits, not in " + name,
               "leave --precision out, or use --task lora");
  }
  if (workload.task == Task::lora && workload.weights == Number::nf4) {
    impossible("LoRA over 4-bit weights is QLoRA", "use --task qlora");
  }
  if (workload.kv == Number::nf4) {
    impossible("a KV cache in nf4 is not known here", "use fp32, fp16, bf16, fp8 or int8");
  }
}

}  // namespace

std::string_view to_string(Number number) { return name_in(kNumbers, number); }
std::optional<Number> parse_number_type(std::string_view text) {
  return value_in<Number>(kNumbers, text);
}
std::vector<std::string> number_type_names() {
  std::vector<std::string> names;
  for (const auto& [number, name] : kNumbers) names.emplace_back(name);
  return names;
}
std::string_view to_string(Task task) { return name_in(kTasks, task); }
std::optional<Task> parse_task(std::string_view text) { return value_in<Task>(kTasks, text); }
std::string_view to_string(Optimizer optimizer) { return name_in(kOptimizers, optimizer); }
std::optional<Optimizer> parse_optimizer(std::string_view text) {
  return value_in<Optimizer>(kOptimizers, text);
}

double ModelShape::matrix_parameters() const {
  const double h = static_cast<double>(hidden), kv = static_cast<double>(kv_width());
  const double attention = 2 * h * h + 2 * h * kv;
  const double forward = (gated ? 3.0 : 2.0) * h * static_cast<double>(ffn);
  return static_cast<double>(layers) * (attention + forward);
}

double ModelShape::parameters() const {
  return matrix_parameters() + 2.0 * static_cast<double>(vocab) * static_cast<double>(hidden);
}

ModelShape guess_shape(double parameters) {
  constexpr double kWidthOfLayer = 128, kHead = 128;
  ModelShape shape{.vocab = 32'000, .guessed = true};
  // All of it is 12·layers·hidden², with 4·hidden² for attention and 8·hidden² for feed-forward.
  const double layers = std::cbrt(parameters / (12 * kWidthOfLayer * kWidthOfLayer));
  shape.layers = static_cast<std::uint64_t>(std::max(1.0, std::round(layers)));
  shape.heads = shape.layers;
  shape.kv_heads = shape.heads;
  shape.hidden = shape.heads * static_cast<std::uint64_t>(kHead);
  shape.ffn = (shape.hidden * 8 / 3 + 255) / 256 * 256;
  return shape;
}

double Workload::adapter_parameters() const {
  if (!has_adapters()) return 0;
  const double h = static_cast<double>(shape.hidden);
  const double keys = static_cast<double>(shape.kv_width());
  const double ffn = static_cast<double>(shape.ffn);
  const double attention = 2 * (h + h) + 2 * (h + keys);
  const double forward = (shape.gated ? 3.0 : 2.0) * (h + ffn);
  return static_cast<double>(lora_rank * shape.layers) * (attention + forward);
}

void require_possible(const Workload& workload) {
  constexpr double kMostParameters = 1e14;
  constexpr std::uint64_t kMostTokens = 1'000'000'000;
  if (!(workload.parameters >= 1)) impossible("a model with 0 parameters needs no GPU");
  if (workload.parameters > kMostParameters) {
    impossible("a model with more than 100,000 billion parameters is a slip");
  }
  if (workload.batch == 0) impossible("a batch of 0 sequences computes nothing");
  if (workload.length == 0) impossible("sequences of 0 tokens compute nothing");
  if (workload.batch > kMostTokens || workload.length > kMostTokens) {
    impossible("more than a billion sequences or tokens are a slip");
  }
  require_shape(workload.shape);
  require_precision(workload);
  if (workload.has_adapters() &&
      (workload.lora_rank == 0 || workload.lora_rank > workload.shape.hidden)) {
    impossible("adapters of rank " + std::to_string(workload.lora_rank) +
               " do not fit into a width of " + std::to_string(workload.shape.hidden));
  }
  const double of_shape = workload.shape.parameters();
  if (!workload.shape.guessed &&
      (of_shape > workload.parameters * 1.5 || of_shape * 2 < workload.parameters)) {
    throw UsageError(ErrorText{
        .message = "the shape and the number of parameters do not belong together",
        .details = {{"parameters", fixed(workload.parameters / 1e9, 2) + " billion", "--params"},
                    {"shape", fixed(of_shape / 1e9, 2) + " billion",
                     "layers, width, heads, feed-forward and vocabulary"}},
        .hint = "give all of --layers, --hidden, --heads, --kv-heads, --ffn and --vocab"});
  }
}

}  // namespace img
