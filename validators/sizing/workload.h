// SPDX-License-Identifier: Apache-2.0
// What shall run on a GPU: a transformer of some size and shape, and what is done with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// How a value is held in memory.
enum class Number { fp32, fp16, bf16, fp8, int8, nf4 };
std::string_view to_string(Number number);
std::optional<Number> parse_number_type(std::string_view text);
std::vector<std::string> number_type_names();

enum class Task { inference, train, lora, qlora };
std::string_view to_string(Task task);
std::optional<Task> parse_task(std::string_view text);

enum class Optimizer { adamw, adamw8bit, momentum, sgd };
std::string_view to_string(Optimizer optimizer);
std::optional<Optimizer> parse_optimizer(std::string_view text);

/// Numbers of a decoder as its configuration file has them.
struct ModelShape {
  std::uint64_t layers = 0, hidden = 0, heads = 0, kv_heads = 0, ffn = 0, vocab = 0;
  bool gated = true;     ///< two projections up (SwiGLU), not one
  bool guessed = false;  ///< by a rule, from the number of parameters

  std::uint64_t head_size() const { return hidden / heads; }
  std::uint64_t kv_width() const { return head_size() * kv_heads; }
  /// Weights of the matrices of all layers, without embeddings.
  double matrix_parameters() const;
  /// What the shape amounts to, input and output embeddings included.
  double parameters() const;
};

/// A shape that has about so many parameters: 128 wide for each layer, heads of 128, and a gated
/// feed-forward of 8/3. That is how the first Llama models are built.
ModelShape guess_shape(double parameters);

struct Workload {
  double parameters = 0;
  ModelShape shape;
  Task task = Task::inference;
  Number weights = Number::bf16;
  Number kv = Number::bf16;
  Optimizer optimizer = Optimizer::adamw;
  std::uint64_t batch = 1, length = 2048;  ///< sequences at once, tokens in each
  bool checkpointing = false;              ///< activations are computed again in the backward pass
  bool fused_attention = true;             ///< flash or memory-efficient: no matrix of scores
  bool master_weights = true;              ///< an fp32 copy beside 16-bit weights
  bool fp32_gradients = false;
  std::uint64_t lora_rank = 16;
  std::uint64_t context = 500'000'000;  ///< bytes of CUDA context and library workspaces

  bool is_training() const { return task != Task::inference; }
  bool has_adapters() const { return task == Task::lora || task == Task::qlora; }
  /// Of all adapters: rank × (inputs + outputs) for each matrix of each layer.
  double adapter_parameters() const;
};

/// UsageError for what cannot exist: no parameters, heads that do not divide the width, training of
/// 4-bit weights, a shape that is far from the number of parameters.
void require_possible(const Workload& workload);

}  // namespace img
