// SPDX-License-Identifier: Apache-2.0
// A fast fingerprint that is equal for equal contents.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>

namespace img {

/// CRC-64 of the bytes that passed; not cryptographic. 0 is kept for "no bytes".
class ContentKey {
 public:
  void update(ByteView bytes);
  std::uint64_t value() const;

 private:
  std::uint64_t crc_ = 0;
  bool any_ = false;
};

}  // namespace img
