// SPDX-License-Identifier: Apache-2.0
// Byte streams: pull from a Source, push into a Sink.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace img {

using ByteView = std::span<const std::uint8_t>;
using ByteSpan = std::span<std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Something to read from. Not thread-safe.
class Source {
 public:
  virtual ~Source() = default;
  /// Reads up to buffer.size() bytes; returns 0 only at the end (buffer.size() > 0 is required).
  virtual std::size_t read(ByteSpan buffer) = 0;
};

/// Something to write to. After the last write exactly one finish(); a Sink that is destroyed
/// unfinished discards what it holds. Not thread-safe.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(ByteView bytes) = 0;
  /// Completes the output; may throw.
  virtual void finish() {}
};

/// Reads memory that outlives it.
class ViewSource final : public Source {
 public:
  explicit ViewSource(ByteView bytes) : rest_(bytes) {}
  std::size_t read(ByteSpan buffer) override;

 private:
  ByteView rest_;
};

/// Collects into a string.
class StringSink final : public Sink {
 public:
  void write(ByteView bytes) override { text_.append(as_text(bytes)); }
  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

/// Swallows everything.
class NullSink final : public Sink {
 public:
  void write(ByteView) override {}
};

/// Reads exactly buffer.size() bytes unless the source ends first; returns the count.
std::size_t read_full(Source& source, ByteSpan buffer);
/// Copies to the end; returns the count.
std::uint64_t copy(Source& from, Sink& to);
/// Reads everything; throws InputError when there is more than `limit` bytes (named by `what`).
std::string read_all(Source& source, std::uint64_t limit, std::string_view what);

}  // namespace img
