// SPDX-License-Identifier: Apache-2.0
// A download in progress: the bytes so far, their running hash, and where they came from.
#pragma once

#include "builder/base/hash.h"
#include "builder/base/stream.h"
#include "builder/fetch/store.h"

#include <functional>
#include <string>

namespace img {

/// The bytes that came are not the file that is wanted. Internal: the downloader turns it into the
/// next try, and in the end into an IntegrityError.
struct Mismatch {
  std::string expected, got;
  std::uint64_t bytes = 0;  ///< received
  std::string source;       ///< displayable address or path
};

/// The file partial/<hex>.part of the store. The caller holds the digest's lock. It outlives the
/// object (an interrupted download is resumed by the next process) until take() or discard().
class PartFile final : public Sink {
 public:
  /// `on_size` is told the size whenever it changes.
  PartFile(Store& store, const Digest& digest, std::uint64_t wanted_size,
           std::function<void(std::uint64_t)> on_size);

  std::uint64_t size() const { return size_; }
  bool is_complete() const { return size_ == wanted_size_; }

  /// Hashes what an earlier process left. To be called once, before the first write.
  void hash_existing();
  /// Appends; Mismatch when it gets longer than the file that is wanted.
  void write(ByteView bytes) override;
  /// Back to no bytes.
  void restart();
  /// Checks size and digest, then hands the file over to the store. Mismatch: the bytes are
  /// dropped.
  void take();

  /// Remembers which address (displayable) and which validator (strong ETag or empty) the bytes
  /// have.
  void set_origin(const std::string& address, const std::string& validator);
  /// The validator, when the bytes came from this address; else empty.
  std::string validator_of(const std::string& address) const;
  /// What Mismatch::source says.
  void set_source(std::string source) { source_ = std::move(source); }

 private:
  void open();

  Store& store_;
  Digest digest_;
  std::uint64_t wanted_size_;
  std::function<void(std::uint64_t)> on_size_;
  fs::path path_;
  fs::path origin_path_;
  Fd fd_;
  std::uint64_t size_ = 0;
  Sha256 hash_;
  std::string source_;
};

}  // namespace img
