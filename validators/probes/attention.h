// SPDX-License-Identifier: Apache-2.0
// Attention in double precision, written down as its definition says: what torch is held against.
#pragma once

#include "validators/probes/number_types.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace probe {

/// A tensor of four dimensions in memory of ours: batch, heads, sequence, head size.
class Tensor {
 public:
  using Shape = std::array<std::int64_t, 4>;
  /// Every stride counts elements; the storage holds as many as they reach.
  Tensor(NumberType type, Shape sizes, Shape strides);

  NumberType type() const { return type_; }
  const Shape& sizes() const { return sizes_; }
  const Shape& strides() const { return strides_; }
  std::byte* data() { return storage_.data(); }
  const std::byte* data() const { return storage_.data(); }
  std::int64_t count() const { return sizes_[0] * sizes_[1] * sizes_[2] * sizes_[3]; }

  /// Reproducible values of zero mean and unit variance; the type's rounding is in them already.
  void fill(std::uint64_t seed);
  void set(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d, double value);
  double at(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d) const;

 private:
  std::size_t offset(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d) const;
  NumberType type_;
  Shape sizes_, strides_;
  std::vector<std::byte> storage_;
};

/// How the elements of a tensor lie in memory.
enum class Layout {
  contiguous,
  sequence_first,  ///< (batch, sequence, heads, size) seen as (batch, heads, sequence, size)
  padded,          ///< rows with some elements between them
  every_other,     ///< last stride 2
};
Tensor make_tensor(NumberType type, Tensor::Shape sizes, Layout layout, std::uint64_t seed);

struct AttentionOptions {
  bool causal = false;
  std::optional<double> scale;   ///< default 1 / sqrt(head size)
  const Tensor* mask = nullptr;  ///< added to the scores; sizes of 1 are repeated
};
/// softmax(scale q kᵀ + mask) v, in (batch, heads, sequence, size) order. Fewer key heads than
/// query heads are shared by consecutive query heads.
std::vector<double> attention(const Tensor& q, const Tensor& k, const Tensor& v,
                              const AttentionOptions& options);

}  // namespace probe
