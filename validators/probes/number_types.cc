// SPDX-License-Identifier: Apache-2.0
// float16 and bfloat16 by hand, float32 and float64 by the processor.
#include "validators/probes/number_types.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace probe {
namespace {

template <typename To, typename From>
To bits_of(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

std::uint16_t to_bfloat16(float value) {
  const auto bits = bits_of<std::uint32_t>(value);
  if (std::isnan(value)) return 0x7FC0;
  return static_cast<std::uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// Through double, which holds every float16 and every half-way case exactly.
std::uint16_t to_float16(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) return 0x7E00;
  const double magnitude = std::fabs(value);
  if (magnitude >= 65520) return sign | 0x7C00;
  int exponent = 0;
  std::frexp(magnitude, &exponent);  // magnitude = m * 2^exponent, 0.5 <= m < 1
  // A normal number has 11 bits from 2^(exponent-1) down; below 2^-14 the last bit stays 2^-24.
  const int last = magnitude < std::ldexp(1, -14) ? -24 : exponent - 11;
  const auto units = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(magnitude, -last)));
  // A carry out of the fraction goes into the exponent by itself.
  const std::uint32_t biased = last == -24 ? 0 : static_cast<std::uint32_t>(last + 24);
  return static_cast<std::uint16_t>(sign | (biased * 1024 + units));
}

double from_float16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const int fraction = bits & 1023;
  double magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction == 0 ? std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(fraction, -24);
  } else {
    magnitude = std::ldexp(1024 + fraction, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

template <typename T>
void put(T value, std::byte* to) {
  std::memcpy(to, &value, sizeof(value));
}
template <typename T>
T get(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

}  // namespace

std::string_view name_of(NumberType type) {
  switch (type) {
    case NumberType::float32:
      return "float32";
    case NumberType::float64:
      return "float64";
    case NumberType::float16:
      return "float16";
    case NumberType::bfloat16:
      break;
  }
  return "bfloat16";
}

std::size_t size_of(NumberType type) {
  switch (type) {
    case NumberType::float64:
      return 8;
    case NumberType::float32:
      return 4;
    default:
      return 2;
  }
}

void store(NumberType type, double value, std::byte* to) {
  switch (type) {
    case NumberType::float64:
      return put(value, to);
    case NumberType::float32:
      return put(static_cast<float>(value), to);
    case NumberType::float16:
      return put(to_float16(value), to);
    case NumberType::bfloat16:
      return put(to_bfloat16(static_cast<float>(value)), to);
  }
}

double load(NumberType type, const std::byte* from) {
  switch (type) {
    case NumberType::float64:
      return get<double>(from);
    case NumberType::float32:
      return static_cast<double>(get<float>(from));
    case NumberType::float16:
      return from_float16(get<std::uint16_t>(from));
    case NumberType::bfloat16:
      break;
  }
  return static_cast<double>(
      bits_of<float>(static_cast<std::uint32_t>(get<std::uint16_t>(from)) << 16));
}

}  // namespace probe
