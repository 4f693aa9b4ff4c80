// SPDX-License-Identifier: Apache-2.0
// The last block of deflate streams: search, walk and proof agree for every way to make a stream.
#include "builder/layer/deflate_tail.h"

#include "builder/base/error.h"
#include "builder/layer/deflate_chain.h"
#include "builder/layer/fixed_huffman.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::DeflateSettings;
using testing::Random;

class DeflateTailTest : public ::testing::Test {
 protected:
  DeflatedContent deflated(const std::string& plain, const DeflateSettings& settings = {}) {
    return testing::deflated(folder_.path() / "x.whl", plain, settings);
  }
  static std::string packed_of(const DeflatedContent& content) {
    std::string bytes(content.packed_size, '\0');
    content.file->read_exactly_at(content.offset,
                                  {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
  }
  static DeflateEnd pass(const DeflatedContent& content, std::string* plain = nullptr) {
    DeflatePass pass;
    return pass.run(content, [plain](ByteView bytes) {
      if (plain != nullptr) plain->append(as_text(bytes));
    });
  }
  TempDir folder_{fs::temp_directory_path(), "deflate-tail-test-"};
};

std::vector<DeflateSettings> all_settings() {
  std::vector<DeflateSettings> all;
  for (const int level : {0, 1, 6, 9}) {
    for (const int strategy : {Z_DEFAULT_STRATEGY, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED}) {
      for (const int flush : {Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_BLOCK}) {
        for (const bool empty : {false, true}) {
          all.push_back({.level = level,
                         .strategy = strategy,
                         .memory_level = 1 + (level + strategy) % 9,
                         .flush = flush,
                         .piece = 3000,
                         .empty_last_block = empty});
        }
      }
    }
  }
  return all;
}

TEST_F(DeflateTailTest, PassAndWalkAgreeForEveryKindOfStream) {
  Random random(3);
  for (const DeflateSettings& settings : all_settings()) {
    for (const std::size_t size : {0u, 1u, 50u, 3000u, 20'000u}) {
      const std::string plain = testing::random_bytes(random, size, 30);
      DeflatedContent content = deflated(plain, settings);
      const std::uint64_t walked = last_block_by_walking(content);
      std::string got;
      const DeflateEnd end = pass(content, &got);
      ASSERT_EQ(end.last_block_bit, walked);
      ASSERT_EQ(got, plain);
      ASSERT_GT(end.stream_bits + 8, 8 * content.packed_size);
      ASSERT_LE(end.stream_bits, 8 * content.packed_size);
      content.last_block_bit = walked;
      ASSERT_EQ(pass(content).last_block_bit, walked);
    }
  }
}

TEST_F(DeflateTailTest, ChainFromTheFirstBitEndsWhereTheStreamEnds) {
  Random random(4);
  for (const DeflateSettings& settings : all_settings()) {
    const std::string plain = testing::random_bytes(random, 20'000, 30);
    const DeflatedContent content = deflated(plain, settings);
    DeflateChain chain(as_bytes(packed_of(content)));
    const auto end = chain.follow(0);
    ASSERT_TRUE(end);
    ASSERT_EQ(end->last_block_bit, last_block_by_walking(content));
    ASSERT_EQ(end->end_bit, pass(content).stream_bits);
  }
}

TEST_F(DeflateTailTest, SearchFindsTheLastBlockOfLongStreams) {
  Random random(5);
  for (const int level : {1, 6, 9}) {
    const std::string plain = testing::random_bytes(random, 3'000'000, 50);
    const DeflatedContent content = deflated(plain, {.level = level});
    const std::string packed = packed_of(content);
    ASSERT_GT(packed.size(), kTailMost);
    const ByteView tail = as_bytes(packed).last(kTailMost);
    const std::uint64_t walked = last_block_by_walking(content);
    EXPECT_EQ(find_last_block(tail, packed.size()), walked);
    EXPECT_EQ(find_last_block(tail, packed.size(), as_bytes(plain).last(1 << 20)), walked);
  }
}

TEST_F(DeflateTailTest, SearchProvesNothingWithOtherPlainBytes) {
  Random random(6);
  std::string plain = testing::random_bytes(random, 3'000'000, 50);
  const DeflatedContent content = deflated(plain);
  const std::string packed = packed_of(content);
  plain.back() = static_cast<char>(plain.back() ^ 1);
  EXPECT_EQ(find_last_block(as_bytes(packed).last(kTailMost), packed.size(), as_bytes(plain)),
            std::nullopt);
}

TEST_F(DeflateTailTest, SearchFindsNothingInStoredBlocksAndThePassWalks) {
  Random random(7);
  const std::string plain = testing::random_bytes(random, 1'000'000, 100);
  const DeflatedContent content = deflated(plain, {.level = 0});
  const std::string packed = packed_of(content);
  EXPECT_EQ(find_last_block(as_bytes(packed).last(kTailMost), packed.size()), std::nullopt);
  EXPECT_EQ(pass(content).last_block_bit, last_block_by_walking(content));
}

TEST_F(DeflateTailTest, WrongKnownPositionIsPutRightOrRefused) {
  Random random(8);
  const std::string plain = testing::random_bytes(random, 3'000'000, 50);
  DeflatedContent content = deflated(plain);
  const std::uint64_t walked = last_block_by_walking(content);
  for (const std::uint64_t wrong : {walked - 1, walked + 1, walked + 100, 8 * content.packed_size,
                                    std::uint64_t{0}, std::uint64_t{1}, UINT64_MAX}) {
    content.last_block_bit = wrong;
    EXPECT_EQ(pass(content).last_block_bit, walked) << wrong;
  }
}

TEST_F(DeflateTailTest, LastBlockThatWasGivenOutAlreadyIsAnError) {
  // One block larger than the tail: a wrong position there is noticed only after its header has
  // gone out.
  Random random(9);
  const std::string plain = testing::random_bytes(random, 600'000, 100);
  BitWriter bits;
  FixedHuffmanEncoder encoder(bits);
  encoder.encode(as_bytes(plain), 0);
  encoder.close();
  bits.align();
  StringSink out;
  bits.drain(out);
  std::string packed = out.take();
  packed[0] = static_cast<char>(packed[0] | 1);  // final
  ASSERT_GT(packed.size(), kTailMost);
  DeflatedContent content = testing::stream_in_file(folder_.path() / "x.whl", packed, plain);
  EXPECT_EQ(pass(content).last_block_bit, 0u);
  content.last_block_bit = 8 * packed.size() - 100;
  try {
    pass(content);
    FAIL();
  } catch (const IntegrityError& error) {
    EXPECT_EQ(
        error.render(),
        "error: deflate stream at byte 2 of 'x.whl' does not have its last block where it was "
        "found");
  }
}

TEST_F(DeflateTailTest, ChunksAreTheStream) {
  Random random(10);
  const std::string plain = testing::random_bytes(random, 3'000'000, 80);
  const DeflatedContent content = deflated(plain);
  std::string got;
  int last_chunks = 0;
  DeflatePass().run(
      content, [](ByteView) {},
      [&](const PackedChunk& chunk) {
        EXPECT_EQ(chunk.offset, got.size());
        got += as_text(chunk.bytes);
        last_chunks += chunk.stream_bits ? 1 : 0;
      });
  EXPECT_EQ(got, packed_of(content));
  EXPECT_EQ(last_chunks, 1);
}

TEST_F(DeflateTailTest, PassChecksWhatOpenContentChecks) {
  DeflatedContent content = deflated("hello");
  content.crc32 ^= 1;
  EXPECT_THROW(pass(content), IntegrityError);
  content = deflated("hello");
  content.packed_size -= 1;
  EXPECT_THROW(pass(content), IntegrityError);
  content = deflated("hello");
  content.packed_size += 1;
  EXPECT_THROW(pass(content), IntegrityError);
  content = deflated("hello");
  content.size += 1;
  EXPECT_THROW(pass(content), IntegrityError);
}

TEST_F(DeflateTailTest, ParserSurvivesNoise) {
  Random random(11);
  for (int i = 0; i < 2000; ++i) {
    const std::string noise = testing::random_bytes(random, 1 + random.below(100), 100);
    DeflateChain chain(as_bytes(noise));
    for (std::uint64_t bit = 0; bit <= chain.bits(); ++bit) {
      chain.may_be_dynamic(bit);
      if (const auto end = chain.follow(bit)) {
        ASSERT_LE(end->end_bit, chain.bits());
      }
    }
  }
}

}  // namespace
}  // namespace img
