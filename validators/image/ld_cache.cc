// SPDX-License-Identifier: Apache-2.0
// Reads /etc/ld.so.cache, which ldconfig writes and ld.so looks names up in.
#include "validators/image/ld_cache.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

namespace img {
namespace {

constexpr std::string_view kOldMagic{"ld.so-1.7.0\0", 12};
constexpr std::string_view kMagic = "glibc-ld.so.cache1.1";
constexpr std::size_t kHeaderSize = 48;
constexpr std::size_t kEntrySize = 24;
constexpr std::size_t kOldHeaderSize = 16;
constexpr std::size_t kOldEntrySize = 12;
constexpr std::uint32_t kX86_64Library = 0x0303;  // FLAG_ELF_LIBC6 | FLAG_X8664_LIB64
constexpr std::uint64_t kNamedCapability = 1ull << 62;
constexpr std::uint32_t kExtensionMagic = 0xeaa42174;
constexpr std::uint32_t kCapabilitiesTag = 1;

/// Checked reads within the part of the cache that is in the new format.
class CacheBytes {
 public:
  explicit CacheBytes(std::string_view bytes) : bytes_(bytes) {}

  template <typename Number>
  std::optional<Number> number(std::uint64_t at) const {
    Number value;
    if (at > bytes_.size() || sizeof(value) > bytes_.size() - at) return std::nullopt;
    std::memcpy(&value, bytes_.data() + at, sizeof(value));
    return value;
  }

  std::optional<std::string> text(std::uint64_t at) const {
    if (at >= bytes_.size()) return std::nullopt;
    const std::string_view rest = bytes_.substr(at);
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos || end > 4096) return std::nullopt;
    return std::string(rest.substr(0, end));
  }

 private:
  std::string_view bytes_;
};

/// The part in the new format: all of it, or what follows the old format, aligned to 8 bytes.
std::string_view new_format(std::string_view bytes) {
  if (bytes.starts_with(kMagic)) return bytes;
  if (!bytes.starts_with(kOldMagic)) return {};
  const auto count = CacheBytes(bytes).number<std::uint32_t>(kOldMagic.size());
  if (!count) return {};
  const std::uint64_t end = kOldHeaderSize + std::uint64_t{*count} * kOldEntrySize;
  const std::uint64_t start = (end + 7) / 8 * 8;
  if (start > bytes.size() || !bytes.substr(start).starts_with(kMagic)) return {};
  return bytes.substr(start);
}

/// Names of the capabilities that entries refer to by number.
std::vector<std::string> capability_names(const CacheBytes& cache) {
  const std::uint64_t extension = cache.number<std::uint32_t>(32).value_or(0);
  if (extension == 0 || cache.number<std::uint32_t>(extension) != kExtensionMagic) return {};
  std::vector<std::string> names;
  const std::uint32_t sections = cache.number<std::uint32_t>(extension + 4).value_or(0);
  for (std::uint64_t i = 0; i < std::min<std::uint32_t>(sections, 16); ++i) {
    const std::uint64_t at = extension + 8 + i * 16;
    if (cache.number<std::uint32_t>(at) != kCapabilitiesTag) continue;
    const std::uint64_t offset = cache.number<std::uint32_t>(at + 8).value_or(0);
    const std::uint64_t size = cache.number<std::uint32_t>(at + 12).value_or(0);
    for (std::uint64_t j = 0; j < std::min<std::uint64_t>(size / 4, 64); ++j) {
      const auto name = cache.number<std::uint32_t>(offset + j * 4);
      names.push_back(name ? cache.text(*name).value_or("") : "");
    }
  }
  return names;
}

/// Lower is better; nullopt: the machine lacks what the entry needs.
std::optional<std::size_t> rank_of(std::uint64_t capability, const std::vector<std::string>& names,
                                   std::span<const std::string> hwcaps) {
  if (capability == 0) return hwcaps.size();
  const std::uint64_t index = capability & 0xffffffff;
  if ((capability & kNamedCapability) == 0 || index >= names.size()) return std::nullopt;
  const auto found = std::find(hwcaps.begin(), hwcaps.end(), names[index]);
  if (found == hwcaps.end()) return std::nullopt;
  return static_cast<std::size_t>(found - hwcaps.begin());
}

}  // namespace

LdCache parse_ld_cache(std::string_view bytes, std::span<const std::string> hwcaps) {
  const std::string_view part = new_format(bytes);
  const CacheBytes cache(part);
  const std::uint64_t count = cache.number<std::uint32_t>(kMagic.size()).value_or(0);
  if (part.size() < kHeaderSize || count > (part.size() - kHeaderSize) / kEntrySize) return {};
  const std::vector<std::string> names = capability_names(cache);
  LdCache paths;
  std::unordered_map<std::string, std::size_t> ranks;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = kHeaderSize + i * kEntrySize;
    if (cache.number<std::uint32_t>(at) != kX86_64Library) continue;
    const auto rank = rank_of(*cache.number<std::uint64_t>(at + 16), names, hwcaps);
    const auto name = cache.text(*cache.number<std::uint32_t>(at + 4));
    const auto path = cache.text(*cache.number<std::uint32_t>(at + 8));
    if (!rank || !name || !path) continue;
    const auto [best, added] = ranks.try_emplace(*name, *rank);
    if (!added && best->second <= *rank) continue;
    best->second = *rank;
    paths[*name] = *path;
  }
  return paths;
}

}  // namespace img
