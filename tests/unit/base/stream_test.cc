// SPDX-License-Identifier: Apache-2.0
// Copying between sources and sinks.
#include "builder/base/stream.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

/// Gives one byte at a time, as a pipe may.
class DripSource final : public Source {
 public:
  explicit DripSource(std::string_view text) : inner_(as_bytes(text)) {}
  std::size_t read(ByteSpan buffer) override { return inner_.read(buffer.first(1)); }

 private:
  ViewSource inner_;
};

TEST(Stream, CopyMovesEverything) {
  const std::string text(1'000'003, 'x');
  ViewSource source(as_bytes(text));
  StringSink sink;
  EXPECT_EQ(copy(source, sink), text.size());
  EXPECT_EQ(sink.text(), text);
}

TEST(Stream, ReadFullCollectsShortReads) {
  DripSource source("abcdef");
  std::vector<std::uint8_t> buffer(4);
  EXPECT_EQ(read_full(source, buffer), 4u);
  EXPECT_EQ(as_text(buffer), "abcd");
  EXPECT_EQ(read_full(source, buffer), 2u);
  EXPECT_EQ(read_full(source, buffer), 0u);
}

TEST(Stream, ReadAllTakesExactlyTheLimit) {
  DripSource source("abc");
  EXPECT_EQ(read_all(source, 3, "x"), "abc");
}

TEST(Stream, ReadAllRefusesMoreThanTheLimit) {
  DripSource source("abcd");
  try {
    read_all(source, 3, "member 'METADATA'");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.render(), "error: member 'METADATA' is larger than allowed\n  limit: 3 bytes");
  }
}

}  // namespace
}  // namespace img
