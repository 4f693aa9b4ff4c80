// SPDX-License-Identifier: Apache-2.0
// A fast fingerprint that is equal for equal contents.
#include "validators/image/content_key.h"

#include <isa-l/crc64.h>

namespace img {

void ContentKey::update(ByteView bytes) {
  if (bytes.empty()) return;
  any_ = true;
  crc_ = crc64_ecma_refl(crc_, bytes.data(), bytes.size());
}

std::uint64_t ContentKey::value() const {
  if (!any_) return 0;
  return crc_ == 0 ? 1 : crc_;
}

}  // namespace img
