// SPDX-License-Identifier: Apache-2.0
// The formulas. Activations follow Korthikanti et al. 2022 (34·s·b·h a layer for their model, plus
// 5·a·s²·b of scores), written out for gated and grouped models without dropout.

#include "validators/sizing/memory.h"

#include "builder/base/text.h"
#include "validators/sizing/quantity.h"

namespace img {
namespace {

double real(std::uint64_t value) { return static_cast<double>(value); }

std::string count_text(double value) {
  return value < 1e6 ? with_commas(static_cast<std::uint64_t>(value))
                     : fixed(value / 1e9, 3) + "e9";
}

/// "2", "0.516"
std::string bytes_text(double bytes) {
  return bytes == static_cast<double>(static_cast<int>(bytes)) ? fixed(bytes, 0) : fixed(bytes, 3);
}

/// What activations are computed in.
double activation_bytes(const Workload& workload) {
  return workload.weights == Number::fp32 ? 4 : 2;
}

class Estimator {
 public:
  explicit Estimator(const Workload& workload) : work_(workload), shape_(workload.shape) {}

  MemoryEstimate run() {
    add_weights();
    if (work_.is_training()) {
      add_training_states();
      add_activations();
      add_logits();
    } else {
      add_cache();
      add_working_set();
    }
    add({.name = "context",
         .bytes = real(work_.context),
         .formula = "CUDA context, kernels and workspaces of libraries",
         .numbers = human_size(work_.context)});
    return std::move(estimate_);
  }

 private:
  void add(MemoryPart part) {
    if (part.bytes > 0) estimate_.parts.push_back(std::move(part));
  }

  void add_weights() {
    if (work_.weights != Number::nf4) {
      const double bytes = bytes_of(work_.weights);
      add({.name = "weights",
           .bytes = work_.parameters * bytes,
           .formula = "parameters × bytes of " + std::string(to_string(work_.weights)),
           .numbers = count_text(work_.parameters) + " × " + bytes_text(bytes),
           .shared = true});
      return;
    }
    // Embeddings stay in 16 bits: only matrices of layers are quantized.
    const double embeddings =
        std::min(work_.parameters, 2 * real(shape_.vocab) * real(shape_.hidden));
    const double matrices = work_.parameters - embeddings;
    add({.name = "weights",
         .bytes = matrices * bytes_of(Number::nf4) + embeddings * 2,
         .formula = "matrices × 0.516 + embeddings × 2",
         .numbers = count_text(matrices) + " × 0.516 + " + count_text(embeddings) + " × 2",
         .shared = true});
  }

  void add_training_states() {
    const double trained = work_.has_adapters() ? work_.adapter_parameters() : work_.parameters;
    const std::string who = work_.has_adapters() ? "adapters" : "parameters";
    // Adapters are trained in 16 bits whatever lies under them.
    const bool full = work_.weights == Number::fp32 && !work_.has_adapters();
    if (work_.has_adapters()) {
      add({.name = "adapters",
           .bytes = trained * 2,
           .formula = "rank × (inputs + outputs of every matrix) × 2",
           .numbers = count_text(trained) + " × 2",
           .shared = true});
    }
    const double gradient = full || work_.fp32_gradients ? 4 : 2;
    add({.name = "gradients",
         .bytes = trained * gradient,
         .formula = who + " × bytes of a gradient",
         .numbers = count_text(trained) + " × " + bytes_text(gradient),
         .shared = true});
    const double master = full || !work_.master_weights ? 0 : 4;
    const double states = optimizer_bytes();
    add({.name = "optimizer",
         .bytes = trained * (master + states),
         .formula =
             who + " × (fp32 copy + states of " + std::string(to_string(work_.optimizer)) + ")",
         .numbers =
             count_text(trained) + " × (" + bytes_text(master) + " + " + bytes_text(states) + ")",
         .shared = true});
  }

  double optimizer_bytes() const {
    switch (work_.optimizer) {
      case Optimizer::adamw:
        return 8;
      case Optimizer::adamw8bit:
        return 2;
      case Optimizer::momentum:
        return 4;
      default:
        return 0;
    }
  }

  /// Kept by one layer for one token, when nothing is computed again.
  double layer_bytes() const {
    const double h = real(shape_.hidden), kv = real(shape_.kv_width()), ffn = real(shape_.ffn);
    const double norms = 2 * h, attention = 3 * h + 2 * kv;
    const double forward = h + (shape_.gated ? 4 : 2) * ffn;
    // Scores after softmax: one row of `length` for each head.
    const double scores = work_.fused_attention ? 0 : real(shape_.heads) * real(work_.length);
    return activation_bytes(work_) * (norms + attention + forward + scores);
  }

  double tokens() const { return real(work_.batch) * real(work_.length); }

  std::string token_text() const {
    return std::to_string(work_.batch) + " × " + with_commas(work_.length);
  }

  void add_activations() {
    const double layer = tokens() * layer_bytes();
    const std::string inside = std::string("tokens × ") + bytes_text(activation_bytes(work_)) +
                               " × (6·hidden + 2·kv + " + (shape_.gated ? "4" : "2") + "·ffn" +
                               (work_.fused_attention ? ")" : " + heads·length)");
    if (!work_.checkpointing) {
      add({.name = "activations",
           .bytes = layer * real(shape_.layers),
           .formula = "layers × " + inside,
           .numbers = std::to_string(shape_.layers) + " × " + token_text() + " × " +
                      count_text(layer_bytes())});
      return;
    }
    const double kept = activation_bytes(work_) * real(shape_.hidden);
    add({.name = "activations",
         .bytes = tokens() * kept * real(shape_.layers) + layer,
         .formula = "layers × tokens × " + bytes_text(activation_bytes(work_)) +
                    "·hidden, and one layer in full: " + inside,
         .numbers = std::to_string(shape_.layers) + " × " + token_text() + " × " +
                    count_text(kept) + " + " + token_text() + " × " + count_text(layer_bytes())});
  }

  void add_logits() {
    const double bytes = activation_bytes(work_) + 8;
    add({.name = "logits",
         .bytes = tokens() * real(shape_.vocab) * bytes,
         .formula = "tokens × vocabulary × (logits, their fp32 copy and its gradient)",
         .numbers = token_text() + " × " + with_commas(shape_.vocab) + " × " + bytes_text(bytes)});
  }

  void add_cache() {
    const double bytes = bytes_of(work_.kv);
    const double of_token = 2 * real(shape_.layers) * real(shape_.kv_width()) * bytes;
    add({.name = "KV cache",
         .bytes = tokens() * of_token,
         .formula = "batch × length × 2 × layers × kv-heads × head size × bytes",
         .numbers = token_text() + " × 2 × " + std::to_string(shape_.layers) + " × " +
                    std::to_string(shape_.kv_heads) + " × " + std::to_string(shape_.head_size()) +
                    " × " + bytes_text(bytes) + " (" +
                    with_commas(static_cast<std::uint64_t>(of_token)) + " B a token)",
         .shared = true});
  }

  /// One layer at a time, while the prompts are read; only the last token has logits.
  void add_working_set() {
    const double h = real(shape_.hidden), ffn = real(shape_.ffn);
    double token = activation_bytes(work_) * (4 * h + (shape_.gated ? 2 : 1) * ffn);
    if (!work_.fused_attention) token += 4 * real(shape_.heads) * real(work_.length);
    const double logits = real(work_.batch) * real(shape_.vocab) * 4;
    add({.name = "activations",
         .bytes = tokens() * token + logits,
         .formula = std::string("one layer of the prompt: tokens × ") +
                    bytes_text(activation_bytes(work_)) + " × (4·hidden + " +
                    (shape_.gated ? "2" : "1") + "·ffn)" +
                    (work_.fused_attention ? "" : " + tokens × 4 × heads·length") +
                    ", and the last token's logits",
         .numbers = token_text() + " × " + count_text(token) + " + " + std::to_string(work_.batch) +
                    " × " + with_commas(shape_.vocab) + " × 4"});
  }

  const Workload& work_;
  const ModelShape& shape_;
  MemoryEstimate estimate_;
};

}  // namespace

double MemoryEstimate::total() const { return share(1); }

double MemoryEstimate::part(const std::string& name) const {
  for (const MemoryPart& part : parts) {
    if (part.name == name) return part.bytes;
  }
  return 0;
}

double MemoryEstimate::share(unsigned count) const {
  double bytes = 0;
  for (const MemoryPart& part : parts) bytes += part.shared ? part.bytes / count : part.bytes;
  return bytes;
}

double bytes_of(Number number) {
  switch (number) {
    case Number::fp32:
      return 4;
    case Number::fp16:
    case Number::bf16:
      return 2;
    case Number::fp8:
    case Number::int8:
      return 1;
    default:
      return (4 + 0.127) / 8;
  }
}

MemoryEstimate estimate_memory(const Workload& workload) { return Estimator(workload).run(); }

}  // namespace img
