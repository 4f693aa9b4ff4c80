// SPDX-License-Identifier: Apache-2.0
// Compares version numbers as far as both say something.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace img {

/// The leading numbers of a version: "9.10.2.21" → 9, 10, 2, 21; "2.8.0+cu128" → 2, 8, 0. Empty for
/// anything that does not start with a number.
std::vector<std::uint64_t> version_numbers(std::string_view version);

/// Equal as far as both go: "9.10" agrees with "9.10.2". Versions without numbers agree with none.
bool versions_agree(std::string_view one, std::string_view other);

/// "12.8" of CUDA's 12080; nothing for numbers that are none.
std::optional<std::string> cuda_version_of(std::int64_t number);
/// "9.10.2" of 91002, "8.9.7" of 8907.
std::optional<std::string> cudnn_version_of(std::int64_t number);
/// "2.27.3" of 22703, "2.8.3" of 2803.
std::optional<std::string> nccl_version_of(std::int64_t number);

/// The library of a wheel, under the name that events and facts have for it: "cudart" of
/// "nvidia-cuda-runtime-cu12" and of "nvidia-cuda-runtime", "cublas" of "nvidia-cublas-cu12". Empty
/// for wheels of others.
std::string library_of_distribution(std::string_view name);

}  // namespace img
