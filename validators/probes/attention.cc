// SPDX-License-Identifier: Apache-2.0
// The reference: no blocking, no tricks, one row of scores at a time.
#include "validators/probes/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace probe {
namespace {

std::size_t storage_size(const Tensor::Shape& sizes, const Tensor::Shape& strides) {
  std::int64_t last = 0;
  for (std::size_t i = 0; i < 4; ++i) last += (sizes[i] - 1) * strides[i];
  return static_cast<std::size_t>(last) + 1;
}

/// splitmix64: a sequence that is the same everywhere.
std::uint64_t next(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15;
  std::uint64_t z = state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
  z = (z ^ z >> 27) * 0x94D049BB133111EB;
  return z ^ z >> 31;
}

/// Twelve uniform numbers: mean 0, variance 1, near enough to a bell.
double bell(std::uint64_t& state) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(next(state) >> 11) * 0x1p-53;
  return sum;
}

double mask_at(const Tensor* mask, std::int64_t b, std::int64_t h, std::int64_t i, std::int64_t j) {
  if (mask == nullptr) return 0;
  const Tensor::Shape& sizes = mask->sizes();
  return mask->at(sizes[0] == 1 ? 0 : b, sizes[1] == 1 ? 0 : h, sizes[2] == 1 ? 0 : i, j);
}

/// Weights of one query row; a key that may not be seen weighs nothing.
void softmax(std::vector<double>& scores) {
  const double largest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - largest);
    sum += score;
  }
  for (double& score : scores) score /= sum;
}

/// One head of a tensor as plain doubles.
class Matrix {
 public:
  Matrix(const Tensor& tensor, std::int64_t b, std::int64_t h)
      : columns_(static_cast<std::size_t>(tensor.sizes()[3])) {
    for (std::int64_t s = 0; s < tensor.sizes()[2]; ++s) {
      for (std::int64_t d = 0; d < tensor.sizes()[3]; ++d) values_.push_back(tensor.at(b, h, s, d));
    }
  }
  std::span<const double> row(std::int64_t index) const {
    return std::span(values_).subspan(static_cast<std::size_t>(index) * columns_, columns_);
  }

 private:
  std::size_t columns_;
  std::vector<double> values_;
};

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

void append_weighted_sum(const std::vector<double>& weights, const Matrix& value,
                         std::vector<double>& out) {
  std::vector<double> sum(value.row(0).size());
  for (std::size_t j = 0; j < weights.size(); ++j) {
    const std::span<const double> row = value.row(static_cast<std::int64_t>(j));
    for (std::size_t d = 0; d < sum.size(); ++d) sum[d] += weights[j] * row[d];
  }
  out.insert(out.end(), sum.begin(), sum.end());
}

}  // namespace

Tensor::Tensor(NumberType type, Shape sizes, Shape strides)
    : type_(type),
      sizes_(sizes),
      strides_(strides),
      storage_(storage_size(sizes, strides) * size_of(type)) {}

std::size_t Tensor::offset(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d) const {
  return static_cast<std::size_t>(b * strides_[0] + h * strides_[1] + s * strides_[2] +
                                  d * strides_[3]) *
         size_of(type_);
}

void Tensor::set(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d, double value) {
  store(type_, value, storage_.data() + offset(b, h, s, d));
}

double Tensor::at(std::int64_t b, std::int64_t h, std::int64_t s, std::int64_t d) const {
  return load(type_, storage_.data() + offset(b, h, s, d));
}

void Tensor::fill(std::uint64_t seed) {
  for (std::int64_t b = 0; b < sizes_[0]; ++b) {
    for (std::int64_t h = 0; h < sizes_[1]; ++h) {
      for (std::int64_t s = 0; s < sizes_[2]; ++s) {
        for (std::int64_t d = 0; d < sizes_[3]; ++d) set(b, h, s, d, bell(seed));
      }
    }
  }
}

Tensor make_tensor(NumberType type, Tensor::Shape sizes, Layout layout, std::uint64_t seed) {
  const auto [batch, heads, sequence, size] = sizes;
  Tensor::Shape strides{heads * sequence * size, sequence * size, size, 1};
  if (layout == Layout::sequence_first) strides = {sequence * heads * size, size, heads * size, 1};
  if (layout == Layout::padded) {
    const std::int64_t row = size + 8;
    strides = {heads * sequence * row, sequence * row, row, 1};
  }
  if (layout == Layout::every_other) {
    strides = {heads * sequence * size * 2, sequence * size * 2, size * 2, 2};
  }
  static_cast<void>(batch);
  Tensor tensor(type, sizes, strides);
  tensor.fill(seed);
  return tensor;
}

std::vector<double> attention(const Tensor& q, const Tensor& k, const Tensor& v,
                              const AttentionOptions& options) {
  const auto [batch, heads, queries, size] = q.sizes();
  const std::int64_t keys = k.sizes()[2];
  const std::int64_t group = heads / k.sizes()[1];
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(size)));
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(q.count()));
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const Matrix query(q, b, h);
      const Matrix key(k, b, h / group);
      const Matrix value(v, b, h / group);
      for (std::int64_t i = 0; i < queries; ++i) {
        std::vector<double> weights(static_cast<std::size_t>(keys));
        for (std::int64_t j = 0; j < keys; ++j) {
          const bool hidden = options.causal && j > i;
          weights[static_cast<std::size_t>(j)] =
              hidden ? -std::numeric_limits<double>::infinity()
                     : dot(query.row(i), key.row(j)) * scale + mask_at(options.mask, b, h, i, j);
        }
        softmax(weights);
        append_weighted_sum(weights, value, out);
      }
    }
  }
  return out;
}

}  // namespace probe
