// SPDX-License-Identifier: Apache-2.0
// SHA-256 and the streams that hash what passes through them.
#pragma once

#include "builder/base/stream.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace img {

using Sha256Value = std::array<std::uint8_t, 32>;

/// Incremental SHA-256 (OpenSSL EVP).
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);
  /// Ends this computation; the object may then only be destroyed.
  Sha256Value finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Sha256Value sha256(ByteView bytes);
inline Sha256Value sha256(std::string_view text) { return sha256(as_bytes(text)); }

/// Passes bytes on to `next` (not owned) while hashing and counting them.
class HashSink final : public Sink {
 public:
  explicit HashSink(Sink& next) : next_(next) {}
  void write(ByteView bytes) override;
  void finish() override { next_.finish(); }
  std::uint64_t count() const { return count_; }
  /// To be called once, after the last write.
  Sha256Value digest() { return hash_.finish(); }

 private:
  Sink& next_;
  Sha256 hash_;
  std::uint64_t count_ = 0;
};

}  // namespace img
