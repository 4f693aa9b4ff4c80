// SPDX-License-Identifier: Apache-2.0
// Memory estimates against published figures and figures computed by hand.

#include "validators/sizing/memory.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;

Workload llama_8b() {
  Workload work{.parameters = 8.03e9};
  work.shape = {
      .layers = 32, .hidden = 4096, .heads = 32, .kv_heads = 8, .ffn = 14336, .vocab = 128256};
  return work;
}

/// GPT-3 as in Korthikanti et al. 2022: plain feed-forward of 4·hidden.
Workload gpt3() {
  Workload work{.parameters = 175e9};
  work.shape = {.layers = 96,
                .hidden = 12288,
                .heads = 96,
                .kv_heads = 96,
                .ffn = 4 * 12288,
                .vocab = 51200,
                .gated = false};
  work.task = Task::train;
  return work;
}

TEST(Memory, ShapeOfLlamaHasItsParameters) {
  EXPECT_NEAR(llama_8b().shape.parameters(), 8.03e9, 0.01e9);
}

TEST(Memory, GuessedShapeOfSevenBillionIsThatOfLlama) {
  const ModelShape shape = guess_shape(6.74e9);
  EXPECT_EQ(shape.layers, 32u);
  EXPECT_EQ(shape.hidden, 4096u);
  EXPECT_EQ(shape.ffn, 11008u);
  EXPECT_NEAR(shape.parameters(), 6.74e9, 0.01e9);
}

// ml-engineering, inference: 0.131 MB a token; 17.2 GB at batch 128 × 1024.
TEST(Memory, CacheOfLlamaIsAsPublished) {
  Workload work = llama_8b();
  work.batch = 1;
  work.length = 1;
  EXPECT_DOUBLE_EQ(estimate_memory(work).part("KV cache"), 131072);
  work.batch = 128;
  work.length = 1024;
  EXPECT_NEAR(estimate_memory(work).part("KV cache"), 17.2e9, 0.05e9);
}

TEST(Memory, WeightsOfSixteenBitsAreTwoBytes) {
  Workload work = llama_8b();
  EXPECT_DOUBLE_EQ(estimate_memory(work).part("weights"), 16.06e9);
  work.weights = Number::int8;
  EXPECT_DOUBLE_EQ(estimate_memory(work).part("weights"), 8.03e9);
}

double states_of(const Workload& work) {
  const MemoryEstimate estimate = estimate_memory(work);
  return (estimate.part("weights") + estimate.part("gradients") + estimate.part("optimizer")) /
         work.parameters;
}

// ZeRO (arXiv 1910.02054): 2 + 2 + 12; 18 with fp32 gradients.
TEST(Memory, AdamInMixedPrecisionTakesSixteenBytesAParameter) {
  Workload work = llama_8b();
  work.task = Task::train;
  EXPECT_DOUBLE_EQ(states_of(work), 16);
  work.fp32_gradients = true;
  EXPECT_DOUBLE_EQ(states_of(work), 18);
}

TEST(Memory, FourAndSixBytesAreWhatIsLeftWithoutStatesAndMasters) {
  Workload work = llama_8b();
  work.task = Task::train;
  work.master_weights = false;
  work.optimizer = Optimizer::sgd;
  EXPECT_DOUBLE_EQ(states_of(work), 4);
  work.optimizer = Optimizer::adamw8bit;
  EXPECT_DOUBLE_EQ(states_of(work), 6);
}

TEST(Memory, Fp32TrainingHasNoSecondCopy) {
  Workload work = llama_8b();
  work.task = Task::train;
  work.weights = Number::fp32;
  EXPECT_DOUBLE_EQ(states_of(work), 16);  // 4 + 4 + 8
}

// Korthikanti et al.: 34·s·b·h a layer, two bytes less here since there is no dropout mask;
// 5·a·s²·b of scores with dropout, 2·a·s²·b without.
TEST(Memory, ActivationsFollowThePaper) {
  Workload work = gpt3();
  work.length = 2048;
  const double layer = 2048.0 * 12288;
  EXPECT_DOUBLE_EQ(estimate_memory(work).part("activations"), 96 * 32 * layer);
  work.fused_attention = false;
  EXPECT_DOUBLE_EQ(estimate_memory(work).part("activations"),
                   96 * (32 * layer + 2 * 96.0 * 2048 * 2048));
}

// ml-engineering, training: 8B at 32k keeps 8 GiB with checkpointing; about 7 GiB of work a layer.
TEST(Memory, CheckpointingKeepsTheInputsOfLayers) {
  Workload work = llama_8b();
  work.task = Task::train;
  work.length = 32768;
  const double whole = estimate_memory(work).part("activations");
  work.checkpointing = true;
  const double kept = estimate_memory(work).part("activations") - whole / 32;
  EXPECT_NEAR(kept / kGiB, 8, 1e-9);
  EXPECT_NEAR(whole / 32 / kGiB, 5.125, 1e-9);  // 41·hidden bytes a token
}

// QLoRA paper: 65B on one GPU of 48 GB; torchtune: 7B in less than 10 GB.
TEST(Memory, QloraFitsWhereItIsPublishedToFit) {
  Workload big{.parameters = 65.2e9};
  big.shape = {
      .layers = 80, .hidden = 8192, .heads = 64, .kv_heads = 64, .ffn = 22016, .vocab = 32000};
  big.task = Task::qlora;
  big.weights = Number::nf4;
  big.length = 512;
  big.checkpointing = true;
  EXPECT_LT(estimate_memory(big).total(), 48e9);
  EXPECT_GT(estimate_memory(big).total(), 33e9);

  Workload small{.parameters = 6.74e9};
  small.shape = guess_shape(6.74e9);
  small.task = Task::qlora;
  small.weights = Number::nf4;
  small.checkpointing = true;
  EXPECT_LT(estimate_memory(small).total(), 10e9);
}

// Rank 8 on all matrices of Llama 7B by hand: 8·32·(2·8192 + 2·8192 + 3·15104).
TEST(Memory, AdaptersAreCountedByMatrix) {
  Workload work{.parameters = 6.74e9};
  work.shape = guess_shape(6.74e9);
  work.task = Task::lora;
  work.lora_rank = 8;
  EXPECT_DOUBLE_EQ(work.adapter_parameters(), 8.0 * 32 * (4 * 8192 + 3 * 15104));
}

TEST(Memory, SplitPartsAreSharedAndTheRestIsNot) {
  const MemoryEstimate estimate{
      .parts = {{.name = "weights", .bytes = 8, .shared = true}, {.name = "context", .bytes = 3}}};
  EXPECT_EQ(estimate.total(), 11);
  EXPECT_EQ(estimate.share(4), 5);
}

TEST(Memory, RuleOfTwoHoldsForShortPromptsAndFailsWithACache) {
  Workload work = llama_8b();
  work.length = 1024;
  auto rules = judge_rules(work, estimate_memory(work));
  EXPECT_TRUE(rules[0].applies);
  EXPECT_TRUE(rules[0].holds) << rules[0].why;
  EXPECT_FALSE(rules[1].applies);
  work.batch = 128;
  rules = judge_rules(work, estimate_memory(work));
  EXPECT_FALSE(rules[0].holds);
  EXPECT_EQ(
      rules[0].why,
      "weights take 2.0 GB a billion, all of it 5.7 GB: it counts the weights only; KV cache, "
      "activations and context add 29.6 GB");
}

TEST(Memory, RuleOfFourToSixFailsForAdam) {
  Workload work = llama_8b();
  work.task = Task::train;
  const auto rules = judge_rules(work, estimate_memory(work));
  EXPECT_FALSE(rules[0].applies);
  EXPECT_TRUE(rules[1].applies);
  EXPECT_FALSE(rules[1].holds);
  EXPECT_NE(rules[1].why.find("take 16.0 GB a billion"), std::string::npos) << rules[1].why;
}

std::string refusal(const Workload& work) {
  try {
    require_possible(work);
  } catch (const UsageError& error) {
    return error.render();
  }
  return "possible";
}

TEST(Workload, SaysWhatIsImpossible) {
  EXPECT_EQ(refusal(llama_8b()), "possible");
  Workload work = llama_8b();
  work.parameters = 0;
  EXPECT_EQ(refusal(work), "error: a model with 0 parameters needs no GPU");
  work = llama_8b();
  work.batch = 0;
  EXPECT_EQ(refusal(work), "error: a batch of 0 sequences computes nothing");
  work = llama_8b();
  work.shape.heads = 33;
  EXPECT_EQ(refusal(work), "error: a width of 4096 cannot be shared by 33 heads");
  work = llama_8b();
  work.shape.kv_heads = 5;
  EXPECT_EQ(refusal(work), "error: 32 heads cannot share 5 key-value heads");
  work = llama_8b();
  work.task = Task::train;
  work.weights = Number::int8;
  EXPECT_EQ(refusal(work),
            "error: weights in int8 cannot be trained: their gradients are lost\n"
            "hint: use --precision bf16, or --task qlora for adapters over 4-bit weights");
  work = llama_8b();
  work.parameters = 70e9;
  EXPECT_EQ(refusal(work),
            "error: the shape and the number of parameters do not belong together\n"
            "  parameters: 70.00 billion   (--params)\n"
            "  shape:      8.03 billion   (layers, width, heads, feed-forward and vocabulary)\n"
            "hint: give all of --layers, --hidden, --heads, --kv-heads, --ffn and --vocab");
  work = llama_8b();
  work.task = Task::lora;
  work.lora_rank = 0;
  EXPECT_EQ(refusal(work), "error: adapters of rank 0 do not fit into a width of 4096");
}

}  // namespace
}  // namespace img
