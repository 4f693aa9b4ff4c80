// SPDX-License-Identifier: Apache-2.0
// What an all-reduce of NCCL reaches on known machines, with where each figure comes from.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace img {

/// A measured or demanded bus bandwidth: decimal GB/s at a size of at least `bytes`.
struct BandwidthReference {
  std::string_view gpu;  ///< part of the name that the driver gives the device
  int ranks = 0;
  int nodes = 1;
  std::uint64_t bytes = 0;
  double bus_gigabytes = 0;
  std::string_view source;
};
const std::vector<BandwidthReference>& bandwidth_references();

/// The reference for GPUs of that name with the largest `bytes` that is not above `bytes`; nullptr
/// when none is known.
const BandwidthReference* find_reference(std::string_view gpu, int ranks, int nodes,
                                         std::uint64_t bytes);

/// A result below this part of its reference is too slow (the margin of nccl-tests).
inline constexpr double kBandwidthMargin = 0.9;

}  // namespace img
