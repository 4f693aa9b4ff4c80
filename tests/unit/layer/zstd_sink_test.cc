// SPDX-License-Identifier: Apache-2.0
// zstd frames: the same bytes for any number of workers, one frame, no checksum.
#include "builder/layer/zstd_sink.h"

#include "builder/base/error.h"
#include "builder/layer/layer_format.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace img {
namespace {

using testing::Random;

std::string packed(const std::string& plain, int workers, std::size_t piece = 1 << 20) {
  StringSink out;
  ZstdSink sink(out, plain.size(), workers);
  for (std::size_t at = 0; at < plain.size(); at += piece) {
    sink.write(as_bytes(plain).subspan(at, std::min(piece, plain.size() - at)));
  }
  sink.finish();
  return out.take();
}

TEST(ZstdSink, WorkersAndPiecesDoNotChangeBytes) {
  Random random(1);
  // More than two jobs.
  const std::string plain = testing::random_bytes(random, 2 * kZstdJobBytes + 1'234'567, 40);
  const std::string one = packed(plain, 1);
  EXPECT_TRUE(packed(plain, 2) == one);
  EXPECT_TRUE(packed(plain, 4) == one);
  EXPECT_TRUE(packed(plain, 0) == one);
  EXPECT_TRUE(packed(plain, 3, 4097) == one);
  EXPECT_EQ(ZSTD_findFrameCompressedSize(one.data(), one.size()), one.size());
  std::string back(plain.size(), '\0');
  EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), one.data(), one.size()), plain.size());
  EXPECT_TRUE(back == plain);
}

TEST(ZstdSink, FrameStatesItsSizeAndHasNoChecksum) {
  const std::string frame = packed(std::string(100'000, 'x'), 1);
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 100'000u);
  EXPECT_EQ(static_cast<unsigned char>(frame[4]) & 4, 0);  // Content_Checksum_flag
}

TEST(ZstdSink, EmptyInputIsAFrame) {
  const std::string frame = packed("", 1);
  EXPECT_EQ(ZSTD_getFrameContentSize(frame.data(), frame.size()), 0u);
}

TEST(ZstdSink, AnotherSizeThanPromisedIsABug) {
  StringSink out;
  ZstdSink few(out, 100, 1);
  few.write(as_bytes("short"));
  EXPECT_THROW(few.finish(), InternalError);
}

TEST(ZstdSink, UnfinishedSinkEndsItsThreads) {
  Random random(2);
  const std::string plain = testing::random_bytes(random, 1 << 20);
  StringSink out;
  ZstdSink sink(out, 100 << 20, 4);
  for (int i = 0; i < 20; ++i) sink.write(as_bytes(plain));
}

}  // namespace
}  // namespace img
