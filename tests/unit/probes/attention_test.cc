// SPDX-License-Identifier: Apache-2.0
// Tests of the reference itself: number types against the compiler's, attention against cases that
// can be worked out by hand.
#include "validators/probes/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

namespace probe {
namespace {

double through(NumberType type, double value) {
  std::array<std::byte, 8> bytes{};
  store(type, value, bytes.data());
  return load(type, bytes.data());
}

TEST(NumberTypes, RoundHalfPrecisionLikeTheCompiler) {
  // Every finite float16 comes back, and so does what lies between two of them, to the even one.
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    _Float16 number;
    std::memcpy(&number, &half, 2);
    const auto value = static_cast<double>(number);
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(through(NumberType::float16, value), value);
    for (const double factor : {1.0001, 1.00048828125, 1.0007}) {
      const double between = value * factor;
      ASSERT_EQ(through(NumberType::float16, between),
                static_cast<double>(static_cast<_Float16>(between)))
          << between;
    }
  }
  EXPECT_TRUE(std::isinf(through(NumberType::float16, 65520)));
  EXPECT_EQ(through(NumberType::float16, 65519), 65504);
}

TEST(NumberTypes, RoundBrainFloatsToTheEvenNeighbour) {
  EXPECT_EQ(through(NumberType::bfloat16, 1.0), 1.0);
  EXPECT_EQ(through(NumberType::bfloat16, 1.0 + 0x1p-8), 1.0);               // half way, even below
  EXPECT_EQ(through(NumberType::bfloat16, 1.0 + 3 * 0x1p-8), 1.0 + 0x1p-6);  // half way, even above
  EXPECT_EQ(through(NumberType::bfloat16, 1.0 + 0x1.1p-8), 1.0 + 0x1p-7);
  EXPECT_TRUE(std::isinf(through(NumberType::bfloat16, -INFINITY)));
}

Tensor filled(Tensor::Shape sizes, double value) {
  Tensor tensor = make_tensor(NumberType::float64, sizes, Layout::contiguous, 1);
  for (std::int64_t s = 0; s < sizes[2]; ++s) {
    for (std::int64_t d = 0; d < sizes[3]; ++d) tensor.set(0, 0, s, d, value);
  }
  return tensor;
}

TEST(Attention, AveragesTheValuesWhenAllKeysAreAlike) {
  const Tensor q = filled({1, 1, 2, 4}, 1), k = filled({1, 1, 3, 4}, 1);
  Tensor v = filled({1, 1, 3, 4}, 0);
  for (std::int64_t s = 0; s < 3; ++s) v.set(0, 0, s, 0, static_cast<double>(s));
  EXPECT_NEAR(attention(q, k, v, {})[0], 1.0, 1e-15);
  // Causal: the first query sees the first key, the second two of them.
  const auto causal = attention(q, k, v, {.causal = true});
  EXPECT_NEAR(causal[0], 0.0, 1e-15);
  EXPECT_NEAR(causal[4], 0.5, 1e-15);
}

TEST(Attention, ScalesByTheRootOfTheHeadSize) {
  const Tensor q = filled({1, 1, 1, 4}, 1);
  Tensor k = filled({1, 1, 2, 4}, 0), v = filled({1, 1, 2, 4}, 0);
  for (std::int64_t d = 0; d < 4; ++d) k.set(0, 0, 1, d, 1);
  v.set(0, 0, 1, 0, 1);
  const auto weight = [](double score) { return std::exp(score) / (1 + std::exp(score)); };
  EXPECT_NEAR(attention(q, k, v, {})[0], weight(2), 1e-15);  // q·k = 4, divided by 2
  EXPECT_NEAR(attention(q, k, v, {.scale = 0.25})[0], weight(1), 1e-15);
}

TEST(Attention, HidesWhatTheMaskHides) {
  const Tensor q = filled({1, 1, 1, 4}, 1), k = filled({1, 1, 2, 4}, 1);
  Tensor v = filled({1, 1, 2, 4}, 0), mask = filled({1, 1, 1, 2}, 0);
  v.set(0, 0, 1, 0, 1);
  mask.set(0, 0, 0, 1, -INFINITY);
  EXPECT_EQ(attention(q, k, v, {.mask = &mask})[0], 0);
}

TEST(Attention, SharesKeyHeadsAmongConsecutiveQueryHeads) {
  const Tensor q = make_tensor(NumberType::float64, {1, 4, 3, 8}, Layout::contiguous, 1);
  const Tensor k = make_tensor(NumberType::float64, {1, 2, 5, 8}, Layout::contiguous, 2);
  const Tensor v = make_tensor(NumberType::float64, {1, 2, 5, 8}, Layout::contiguous, 3);
  Tensor wide_k = make_tensor(NumberType::float64, {1, 4, 5, 8}, Layout::contiguous, 0);
  Tensor wide_v = wide_k;
  for (std::int64_t h = 0; h < 4; ++h) {
    for (std::int64_t s = 0; s < 5; ++s) {
      for (std::int64_t d = 0; d < 8; ++d) {
        wide_k.set(0, h, s, d, k.at(0, h / 2, s, d));
        wide_v.set(0, h, s, d, v.at(0, h / 2, s, d));
      }
    }
  }
  EXPECT_EQ(attention(q, k, v, {}), attention(q, wide_k, wide_v, {}));
}

TEST(Tensors, HoldTheSameValuesInEveryLayout) {
  const auto values = [](Layout layout) {
    const Tensor tensor = make_tensor(NumberType::float32, {2, 3, 4, 5}, layout, 9);
    std::vector<double> found;
    for (std::int64_t b = 0; b < 2; ++b) {
      for (std::int64_t h = 0; h < 3; ++h) {
        for (std::int64_t s = 0; s < 4; ++s) {
          for (std::int64_t d = 0; d < 5; ++d) found.push_back(tensor.at(b, h, s, d));
        }
      }
    }
    return found;
  };
  const auto plain = values(Layout::contiguous);
  for (const Layout layout : {Layout::sequence_first, Layout::padded, Layout::every_other}) {
    EXPECT_EQ(values(layout), plain);
  }
  double sum = 0, squares = 0;
  for (const double value : plain) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / 120, 0, 0.3);
  EXPECT_NEAR(squares / 120, 1, 0.4);
}

}  // namespace
}  // namespace probe
