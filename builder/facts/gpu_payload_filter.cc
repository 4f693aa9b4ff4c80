// SPDX-License-Identifier: Apache-2.0
// Finds the GPU code in a file that passes by, so that only its headers need to be kept.
#include "builder/facts/gpu_payload_filter.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace img {
namespace {

constexpr std::uint32_t kMagic = 0xBA55ED50;
constexpr std::size_t kHeader = 16;
constexpr std::size_t kEntryHeader = 64;
constexpr std::uint64_t kAlignment = 8;
constexpr std::uint32_t kMostEntryHeader = 64 << 10;

template <typename Number>
Number number_at(std::string_view bytes, std::size_t at) {
  Number value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

}  // namespace

void GpuPayloadFilter::keep(std::size_t count) {
  if (count == 0) return;
  keep_(offset_, as_bytes(std::string_view(pending_).substr(0, count)));
  drop(count);
}

void GpuPayloadFilter::drop(std::size_t count) {
  pending_.erase(0, count);
  offset_ += count;
}

void GpuPayloadFilter::write(ByteView bytes) {
  // The usual case, without a copy: all of it is payload.
  if (pending_.empty() && payload_ >= bytes.size()) {
    payload_ -= bytes.size();
    offset_ += bytes.size();
    return;
  }
  pending_ += as_text(bytes);
  while (step(false)) {
  }
}

void GpuPayloadFilter::finish() {
  while (step(true)) {
  }
  keep(pending_.size());
}

/// One step forward; false: it needs more bytes.
bool GpuPayloadFilter::step(bool is_end) {
  if (pending_.empty()) return false;
  if (payload_ > 0) return skip_payload();
  if (container_ > 0) return take_entry(is_end);
  return search(is_end);
}

bool GpuPayloadFilter::skip_payload() {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(payload_, pending_.size()));
  drop(count);
  payload_ -= count;
  return !pending_.empty();
}

bool GpuPayloadFilter::take_entry(bool is_end) {
  if (pending_.size() < kEntryHeader && !is_end) return false;
  if (pending_.size() >= kEntryHeader && container_ >= kEntryHeader) {
    const auto header = number_at<std::uint32_t>(pending_, 4);
    const auto payload = number_at<std::uint64_t>(pending_, 8);
    const bool fits = number_at<std::uint16_t>(pending_, 2) == 0x0101 && header >= kEntryHeader &&
                      header <= kMostEntryHeader && header <= container_ &&
                      payload <= container_ - header;
    if (fits && pending_.size() < header && !is_end) return false;
    if (fits && pending_.size() >= header) {
      keep(header);
      container_ -= header + payload;
      payload_ = payload;
      return true;
    }
  }
  container_ = 0;  // no such layout after all
  return true;
}

bool GpuPayloadFilter::search(bool is_end) {
  std::size_t at = (kAlignment - offset_ % kAlignment) % kAlignment;
  for (; at + kHeader <= pending_.size(); at += kAlignment) {
    if (number_at<std::uint32_t>(pending_, at) != kMagic) continue;
    if (number_at<std::uint16_t>(pending_, at + 4) != 1) continue;
    if (number_at<std::uint16_t>(pending_, at + 6) != kHeader) continue;
    const auto size = number_at<std::uint64_t>(pending_, at + 8);
    keep(at + kHeader);
    container_ = size;
    return true;
  }
  if (is_end) return false;
  keep(std::min(at, pending_.size()));
  return false;
}

}  // namespace img
