// SPDX-License-Identifier: Apache-2.0
// Reads /etc/ld.so.cache, which ldconfig writes and ld.so looks names up in.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace img {

/// Soname → path, for 64-bit x86 libraries. Only the format of glibc 2.2 and newer, also behind the
/// old one. A damaged cache has no entries, as ld.so then has none. Entries that need hardware
/// capabilities are taken when `hwcaps` has their name, the earlier the better; those with the
/// numeric capabilities of glibc before 2.33 are left out.
using LdCache = std::unordered_map<std::string, std::string>;
LdCache parse_ld_cache(std::string_view bytes, std::span<const std::string> hwcaps);

}  // namespace img
