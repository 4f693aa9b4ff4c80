// SPDX-License-Identifier: Apache-2.0
// Reading ahead changes neither bytes nor errors.
#include "validators/runner/read_ahead.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

/// Endless or failing after some bytes.
class Numbers final : public Source {
 public:
  explicit Numbers(std::uint64_t fail_at) : fail_at_(fail_at) {}
  std::size_t read(ByteSpan buffer) override {
    for (std::uint8_t& byte : buffer) {
      if (next_ == fail_at_) throw InputError("broken source");
      byte = static_cast<std::uint8_t>(next_++ * 7);
    }
    return buffer.size();
  }

 private:
  std::uint64_t fail_at_, next_ = 0;
};

TEST(ReadAhead, GivesTheSameBytes) {
  std::string text(9'500'000, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 >> 3);
  ViewSource source{as_bytes(text)};
  ReadAhead ahead(source);
  EXPECT_EQ(read_all(ahead, text.size(), "x"), text);
  std::uint8_t byte = 0;
  EXPECT_EQ(ahead.read({&byte, 1}), 0u);
}

TEST(ReadAhead, ThrowsWhatTheSourceThrewAfterWhatCameBefore) {
  Numbers source(5u << 20);
  ReadAhead ahead(source);
  std::vector<std::uint8_t> buffer(5u << 20);
  EXPECT_EQ(read_full(ahead, buffer), buffer.size());
  EXPECT_THROW(ahead.read(buffer), InputError);
}

TEST(ReadAhead, CanBeAbandoned) {
  Numbers source(UINT64_MAX);
  ReadAhead ahead(source);
  std::uint8_t byte = 1;
  EXPECT_EQ(ahead.read({&byte, 1}), 1u);
  EXPECT_EQ(byte, 0);
}

}  // namespace
}  // namespace img
