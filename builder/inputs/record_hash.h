// SPDX-License-Identifier: Apache-2.0
// Hashes a file as its RECORD row asks: sha256 mostly, sha384 or sha512 where a row has that.
// Private to inputs.
#pragma once

#include "builder/base/hash.h"
#include "builder/inputs/wheel.h"

#include <memory>
#include <string>

namespace img {

class RecordHash {
 public:
  explicit RecordHash(const RecordRow& row);
  ~RecordHash();
  void update(ByteView bytes);
  /// The hash as RECORD writes it ("sha256=…"); empty when the row has none. Once.
  std::string finish();

 private:
  struct Strong;
  std::optional<Sha256> sha256_;
  std::unique_ptr<Strong> strong_;
};

/// What the row says, in the same form.
std::string hash_text(const RecordRow& row);

}  // namespace img
