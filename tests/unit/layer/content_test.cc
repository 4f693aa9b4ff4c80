// SPDX-License-Identifier: Apache-2.0
// Contents: read whole and in small pieces, and every lie about a deflate stream is noticed.
#include "builder/layer/content.h"

#include "builder/base/error.h"
#include "builder/layer/inflate.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::DeflateSettings;
using testing::Random;

class ContentTest : public ::testing::Test {
 protected:
  std::string plain(std::size_t size) {
    Random random(size);
    return testing::random_bytes(random, size);
  }
  DeflatedContent deflated(const std::string& text, const DeflateSettings& settings = {}) {
    return testing::deflated(file(), text, settings);
  }
  fs::path file() const { return folder_.path() / "x.whl"; }
  static std::string error_of(const Content& content) {
    try {
      read_content(content);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), ExitCode::integrity);
      return error.render();
    }
    return "no error";
  }
  TempDir folder_{fs::temp_directory_path(), "content-test-"};
};

TEST_F(ContentTest, ReadsLiterals) {
  EXPECT_EQ(read_content(literal("abc")), "abc");
  EXPECT_EQ(content_size(literal("abc")), 3u);
  EXPECT_EQ(read_content(LiteralContent{}), "");
  EXPECT_EQ(content_size(LiteralContent{}), 0u);
}

TEST_F(ContentTest, ReadsRangesOfFiles) {
  EXPECT_EQ(read_content(testing::stored(file(), "range")), "range");
}

TEST_F(ContentTest, ShortFileIsAnIntegrityError) {
  StoredContent content = testing::stored(file(), "range");
  content.size = 100;
  EXPECT_THROW(read_content(content), IntegrityError);
}

TEST_F(ContentTest, InflatesStreamsOfAllSizes) {
  for (const std::size_t size : {0u, 1u, 1000u, 65536u, 3'000'000u}) {
    const std::string text = plain(size);
    EXPECT_EQ(read_content(deflated(text)), text) << size;
  }
}

TEST_F(ContentTest, InflatesIntoSmallBuffers) {
  const std::string text = plain(200'000);
  const Content content = deflated(text);
  const auto source = open_content(content);
  std::string got;
  std::uint8_t buffer[777];
  while (const std::size_t count = source->read(buffer)) got += as_text(ByteView(buffer, count));
  EXPECT_EQ(got, text);
}

TEST_F(ContentTest, LimitsWhatIsReadAtOnce) {
  EXPECT_THROW(read_content(literal("12345"), 4), InputError);
}

TEST_F(ContentTest, WrongCrcIsNoticed) {
  DeflatedContent content = deflated("hello");
  content.crc32 ^= 1;
  EXPECT_EQ(error_of(content),
            "error: deflate stream at byte 2 of 'x.whl' has another CRC-32 than it should\n"
            "  expected: 3610a687\n"
            "  got:      3610a686");
}

TEST_F(ContentTest, WrongCrcIsNoticedByWhoStopsAtTheSize) {
  DeflatedContent content = deflated(plain(100'000));
  content.crc32 ^= 1;
  const auto source = open_content(content);
  std::vector<std::uint8_t> buffer(100'000);
  EXPECT_THROW(read_full(*source, buffer), IntegrityError);
}

TEST_F(ContentTest, FewerBytesThanPromisedAreNoticed) {
  DeflatedContent content = deflated("hello");
  content.size = 1006;
  EXPECT_EQ(error_of(content),
            "error: deflate stream at byte 2 of 'x.whl' yields fewer bytes than it should\n"
            "  expected: 1,006 bytes\n"
            "  got:      5 bytes");
}

TEST_F(ContentTest, MoreBytesThanPromisedAreNoticed) {
  DeflatedContent content = deflated("hello");
  content.size = 4;
  EXPECT_EQ(error_of(content),
            "error: deflate stream at byte 2 of 'x.whl' yields more bytes than it should\n"
            "  expected: 4 bytes");
}

TEST_F(ContentTest, BombStopsAtThePromisedSize) {
  DeflatedContent content = deflated(std::string(50'000'000, '\0'));
  content.size = 1000;
  EXPECT_TRUE(error_of(content).find("yields more bytes than it should") != std::string::npos);
}

TEST_F(ContentTest, TruncatedStreamIsNoticed) {
  DeflatedContent content = deflated(plain(5000));
  content.packed_size -= 3;
  EXPECT_EQ(error_of(content),
            "error: deflate stream at byte 2 of 'x.whl' is truncated: its last block does not end");
}

TEST_F(ContentTest, BytesAfterTheStreamAreNoticed) {
  DeflatedContent content = deflated("hello");
  content.packed_size += 2;
  EXPECT_EQ(error_of(content),
            "error: deflate stream at byte 2 of 'x.whl' ends before its packed size\n"
            "  expected: 9 bytes\n"
            "  got:      7 bytes");
}

TEST_F(ContentTest, ManyBytesAfterTheStreamAreNoticed) {
  const std::string text = plain(1000);
  DeflatedContent content = testing::stream_in_file(file(), testing::deflate_bytes(text), text, "",
                                                    std::string(3'000'000, 'x'));
  content.packed_size += 3'000'000;
  EXPECT_TRUE(error_of(content).find("ends before its packed size") != std::string::npos);
}

TEST_F(ContentTest, BrokenStreamIsNoticed) {
  std::string packed = testing::deflate_bytes(plain(5000));
  packed[0] = '\x07';  // block type 3
  EXPECT_EQ(error_of(testing::stream_in_file(file(), packed, "")),
            "error: deflate stream at byte 2 of 'x.whl' is broken: invalid deflate data");
}

TEST_F(ContentTest, EmptyRangeIsNoStream) {
  DeflatedContent content = deflated("");
  content.packed_size = 0;
  EXPECT_TRUE(error_of(content).find("is truncated") != std::string::npos);
}

TEST_F(ContentTest, AnyFlippedBitIsNoticed) {
  const std::string text = plain(600);
  const std::string packed = testing::deflate_bytes(text);
  std::size_t harmless = 0;
  for (std::size_t bit = 0; bit < 8 * packed.size(); ++bit) {
    std::string flipped = packed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    try {
      EXPECT_EQ(read_content(testing::stream_in_file(file(), flipped, text)), text);
      ++harmless;
    } catch (const IntegrityError&) {
    }
  }
  // Bits after the end of the stream, and matches that have the same bytes at another distance.
  EXPECT_LT(harmless, 30u);
}

}  // namespace
}  // namespace img
