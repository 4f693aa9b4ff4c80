// SPDX-License-Identifier: Apache-2.0
// Finds the GPU code in a file that passes by, so that only its headers need to be kept.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <functional>
#include <string>

namespace img {

/// The layout is that of validators/elf/fat_binary.h. What does not fit it passes as it is: the
/// filter saves room and decides nothing.
class GpuPayloadFilter {
 public:
  /// Gets every byte that is no payload of a fat binary, with its place, in order.
  using Keep = std::function<void(std::uint64_t offset, ByteView bytes)>;

  explicit GpuPayloadFilter(Keep keep) : keep_(std::move(keep)) {}

  void write(ByteView bytes);
  /// After the last write: keeps what is still held back.
  void finish();
  std::uint64_t size() const { return offset_ + pending_.size(); }

 private:
  bool step(bool is_end);
  bool skip_payload();
  bool take_entry(bool is_end);
  bool search(bool is_end);
  void keep(std::size_t count);
  void drop(std::size_t count);

  Keep keep_;
  std::string pending_;          ///< seen, not passed on yet
  std::uint64_t offset_ = 0;     ///< of the first pending byte
  std::uint64_t payload_ = 0;    ///< bytes of a payload still to come
  std::uint64_t container_ = 0;  ///< bytes of a fat binary's entries still to come
};

}  // namespace img
