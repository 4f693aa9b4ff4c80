// SPDX-License-Identifier: Apache-2.0
// Which files are kept as text for checks.
#pragma once

#include <cstdint>
#include <string_view>

namespace img {

/// Largest file that is kept.
inline constexpr std::uint64_t kLargestText = 8 << 20;

/// `path` is absolute in the image. A rule by names only: the loader's configuration and cache,
/// users and groups, releases, packages (dpkg's status; METADATA, WHEEL, INSTALLER and the like of
/// dist-info folders), Python's environment and start-up files, versions of torch, CUDA, cuDNN and
/// NCCL as files tell them.
bool is_text_wanted(std::string_view path);

}  // namespace img
