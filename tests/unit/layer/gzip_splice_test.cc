// SPDX-License-Identifier: Apache-2.0
// Spliced gzip members: one member, the right bytes, nothing recompressed.
#include "builder/layer/gzip_splice.h"

#include "builder/base/error.h"
#include "builder/layer/deflate_tail.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::DeflateSettings;
using testing::Random;

/// Reads exactly one gzip member that ends with the last byte; zlib checks CRC and size.
std::string gunzip(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, MAX_WBITS + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string plain;
  std::vector<char> buffer(1 << 16);
  int result = Z_OK;
  while (result == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    result = inflate(&stream, Z_NO_FLUSH);
    plain.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  EXPECT_EQ(result, Z_STREAM_END) << (stream.msg ? stream.msg : "");
  EXPECT_EQ(stream.avail_in, 0u);
  inflateEnd(&stream);
  return plain;
}

class GzipSpliceTest : public ::testing::Test {
 protected:
  DeflatedContent deflated(const std::string& plain, const DeflateSettings& settings = {}) {
    return testing::deflated(folder_.path() / ("x" + std::to_string(++count_)), plain, settings);
  }
  TempDir folder_{fs::temp_directory_path(), "gzip-splice-test-"};
  int count_ = 0;
};

TEST_F(GzipSpliceTest, EmptyMemberIsTheFrozenHeaderAndTrailer) {
  StringSink out;
  GzipSpliceSink gzip(out);
  gzip.finish();
  EXPECT_EQ(out.text(), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0", 20));
}

TEST_F(GzipSpliceTest, ParametersOfTheHeaderSayNothing) {
  StringSink out;
  GzipSpliceSink gzip(out);
  gzip.glue(as_bytes("x"));
  gzip.finish();
  EXPECT_EQ(out.text().substr(0, 10), std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10));
}

TEST_F(GzipSpliceTest, StreamIsTakenOverByteForByte) {
  Random random(1);
  const std::string plain = testing::random_bytes(random, 300'000, 60);
  const DeflatedContent content = deflated(plain);
  std::string packed(content.packed_size, '\0');
  content.file->read_exactly_at(content.offset,
                                {reinterpret_cast<std::uint8_t*>(packed.data()), packed.size()});
  StringSink out;
  GzipSpliceSink gzip(out);
  gzip.glue(as_bytes("header"));
  std::string seen;
  gzip.splice(content, [&](ByteView bytes) { seen += as_text(bytes); });
  gzip.finish();
  EXPECT_EQ(seen, plain);
  EXPECT_NE(out.text().find(packed.substr(0, packed.size() / 2)), std::string::npos);
  EXPECT_LT(out.text().size(), packed.size() + 50);
  EXPECT_EQ(gunzip(out.text()), "header" + plain);
}

TEST_F(GzipSpliceTest, EveryKindOfStreamCanFollowEveryOther) {
  Random random(2);
  StringSink out;
  GzipSpliceSink gzip(out);
  std::string all;
  const OnPlain on_plain = [&](ByteView bytes) { all += as_text(bytes); };
  for (int i = 0; i < 1500; ++i) {
    const std::string plain =
        testing::random_bytes(random, random.below(3000), static_cast<unsigned>(random.below(101)));
    switch (random.below(4)) {
      case 0:
        gzip.glue(as_bytes(plain));
        all += plain;
        break;
      case 1: {
        ViewSource source{as_bytes(plain)};
        gzip.pack(source, on_plain);
        break;
      }
      default: {
        static constexpr int kStrategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY};
        gzip.splice(deflated(plain, {.level = static_cast<int>(random.below(10)),
                                     .strategy = kStrategies[random.below(4)],
                                     .flush = random.below(2) == 0 ? Z_NO_FLUSH : Z_PARTIAL_FLUSH,
                                     .piece = 500,
                                     .empty_last_block = random.below(3) == 0}),
                    on_plain);
      }
    }
  }
  gzip.finish();
  EXPECT_EQ(gunzip(out.text()), all);
}

TEST_F(GzipSpliceTest, KnownAndFoundPositionsGiveTheSameBytes) {
  Random random(3);
  DeflatedContent content = deflated(testing::random_bytes(random, 2'000'000, 60));
  const auto spliced = [&] {
    StringSink out;
    GzipSpliceSink gzip(out);
    gzip.splice(content, [](ByteView) {});
    gzip.finish();
    return out.take();
  };
  const std::string found = spliced();
  content.last_block_bit = last_block_by_walking(content);
  EXPECT_EQ(spliced(), found);
  content.last_block_bit = *content.last_block_bit + 3;
  EXPECT_EQ(spliced(), found);
}

TEST_F(GzipSpliceTest, LyingStreamIsRefused) {
  DeflatedContent content = deflated("hello");
  content.crc32 ^= 1;
  StringSink out;
  GzipSpliceSink gzip(out);
  EXPECT_THROW(gzip.splice(content, [](ByteView) {}), IntegrityError);
}

TEST_F(GzipSpliceTest, PackedFilesShareOneWindowUntilTheNextStream) {
  Random random(4);
  const std::string plain = testing::random_bytes(random, 3000, 100);
  const auto packed_twice = [&](bool stream_between) {
    StringSink out;
    GzipSpliceSink gzip(out);
    ViewSource first{as_bytes(plain)}, second{as_bytes(plain)};
    gzip.pack(first, [](ByteView) {});
    gzip.glue(as_bytes(std::string(512, 'h')));
    if (stream_between) gzip.splice(deflated("between"), [](ByteView) {});
    gzip.pack(second, [](ByteView) {});
    gzip.finish();
    EXPECT_EQ(gunzip(out.text()),
              plain + std::string(512, 'h') + (stream_between ? "between" : "") + plain);
    return out.text().size();
  };
  EXPECT_LT(packed_twice(false), 3300u);
  EXPECT_GT(packed_twice(true), 6000u);
}

}  // namespace
}  // namespace img
