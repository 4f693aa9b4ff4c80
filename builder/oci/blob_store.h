// SPDX-License-Identifier: Apache-2.0
// Where blobs live, by digest. Two implementations: the store on disk and one in memory for tests.
#pragma once

#include "builder/base/stream.h"
#include "builder/oci/digest.h"

#include <cstdint>
#include <memory>
#include <string>

namespace img {

/// Receives the bytes of one new blob. Destroyed uncommitted, it leaves nothing behind.
class BlobWriter : public Sink {
 public:
  /// Makes the blob visible under the digest of what was written; returns that digest. A blob that
  /// is there already is kept. `expected`: what the caller computed while writing, so that nothing
  /// is hashed twice; it must be the digest of exactly the written bytes.
  virtual void commit(const Digest& expected) = 0;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual bool contains(const Digest& digest) const = 0;
  virtual std::unique_ptr<Source> open(const Digest& digest) const = 0;
  virtual std::uint64_t size(const Digest& digest) const = 0;
  virtual std::unique_ptr<BlobWriter> writer() = 0;
};

}  // namespace img
