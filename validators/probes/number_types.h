// SPDX-License-Identifier: Apache-2.0
// The number types of tensors, converted to and from double with torch's rounding.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace probe {

enum class NumberType { float32, float64, float16, bfloat16 };
inline constexpr std::array<NumberType, 4> kNumberTypes{NumberType::float32, NumberType::float64,
                                                        NumberType::float16, NumberType::bfloat16};

std::string_view name_of(NumberType type);
std::size_t size_of(NumberType type);  ///< bytes

/// Rounds to nearest, ties to even.
void store(NumberType type, double value, std::byte* to);
double load(NumberType type, const std::byte* from);

}  // namespace probe
