// SPDX-License-Identifier: Apache-2.0
// Numbers of versions, and the packed integers that C functions return them in.
#include "validators/judge/version_text.h"

#include "builder/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace img {
namespace {

constexpr std::int64_t kLargestPacked = 100'000'000;

std::string dotted(std::int64_t major, std::int64_t minor, std::int64_t patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace

std::vector<std::uint64_t> version_numbers(std::string_view version) {
  std::vector<std::uint64_t> numbers;
  for (const std::string& part : split(version, '.')) {
    const std::size_t digits = std::min(part.find_first_not_of("0123456789"), part.size());
    const std::optional<std::uint64_t> number =
        parse_decimal(std::string_view(part).substr(0, digits));
    if (!number) break;
    numbers.push_back(*number);
    if (digits != part.size()) break;
  }
  return numbers;
}

bool versions_agree(std::string_view one, std::string_view other) {
  const std::vector<std::uint64_t> left = version_numbers(one);
  const std::vector<std::uint64_t> right = version_numbers(other);
  const std::size_t common = std::min(left.size(), right.size());
  return common > 0 && std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(common),
                                  right.begin());
}

std::optional<std::string> cuda_version_of(std::int64_t number) {
  if (number < 1000 || number > kLargestPacked) return std::nullopt;
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

std::optional<std::string> cudnn_version_of(std::int64_t number) {
  if (number < 1000 || number > kLargestPacked) return std::nullopt;
  if (number < 10'000) return dotted(number / 1000, number % 1000 / 100, number % 100);
  return dotted(number / 10'000, number % 10'000 / 100, number % 100);
}

std::optional<std::string> nccl_version_of(std::int64_t number) {
  if (number < 1000 || number > kLargestPacked) return std::nullopt;
  // The two forms meet between 2.8.x (2800…) and 2.9 (20900).
  if (number < 10'000) return dotted(number / 1000, number % 1000 / 100, number % 100);
  return dotted(number / 10'000, number % 10'000 / 100, number % 100);
}

std::string library_of_distribution(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kOther{{
      {"cuda-runtime", "cudart"},
      {"cuda-nvrtc", "nvrtc"},
      {"cuda-cupti", "cupti"},
      {"nvshmem", "nvshmem"},
  }};
  if (!name.starts_with("nvidia-")) return {};
  name.remove_prefix(7);
  if (const std::size_t cuda = name.rfind("-cu");
      cuda != std::string_view::npos && cuda + 3 < name.size() &&
      name.find_first_not_of("0123456789", cuda + 3) == std::string_view::npos) {
    name = name.substr(0, cuda);
  }
  for (const auto& [distribution, library] : kOther) {
    if (name == distribution) return std::string(library);
  }
  return std::string(name);
}

}  // namespace img
