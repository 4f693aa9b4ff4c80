// SPDX-License-Identifier: Apache-2.0
// Packed layers of others: many members, bad ends, bombs of memory.
#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace img {
namespace {

using testing::Random;

/// Gives at most `step` bytes at a time.
class SlowSource final : public Source {
 public:
  SlowSource(ByteView bytes, std::size_t step) : rest_(bytes), step_(step) {}
  std::size_t read(ByteSpan buffer) override {
    return rest_.read(buffer.first(std::min(buffer.size(), step_)));
  }

 private:
  ViewSource rest_;
  std::size_t step_;
};

std::string unpacked(const std::string& packed, Compression compression, std::size_t step = 1 << 20,
                     std::size_t buffer_size = 1 << 16) {
  SlowSource source(as_bytes(packed), step);
  const auto plain = open_decompressed(source, compression);
  std::string result;
  std::vector<std::uint8_t> buffer(buffer_size);
  while (const std::size_t count = plain->read(buffer)) {
    result += as_text(ByteView(buffer).first(count));
  }
  EXPECT_EQ(plain->read(buffer), 0u);
  return result;
}

std::string error_of(const std::string& packed, Compression compression) {
  try {
    unpacked(packed, compression);
  } catch (const Error& error) {
    return error.render();
  }
  return "no error";
}

std::string gzip_member(const std::string& plain, const std::string& name = "") {
  std::string member("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  if (!name.empty()) {
    member[3] = 8;
    member += name + '\0';
  }
  member += testing::deflate_bytes(plain);
  for (const std::uint32_t word :
       {crc32_of(0, as_bytes(plain)), static_cast<std::uint32_t>(plain.size())}) {
    for (int shift = 0; shift < 32; shift += 8) member.push_back(static_cast<char>(word >> shift));
  }
  return member;
}

std::string zstd_frame(const std::string& plain, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string frame(ZSTD_compressBound(plain.size()) + 64, '\0');
  ZSTD_inBuffer input{plain.data(), plain.size(), 0};
  ZSTD_outBuffer output{frame.data(), frame.size(), 0};
  // In two steps, so that the window is not shrunk to the size.
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_continue);
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_end);
  frame.resize(output.pos);
  ZSTD_freeCCtx(context);
  return frame;
}

std::string some_text(std::size_t size) {
  Random random(size);
  return testing::random_bytes(random, size);
}

TEST(Decompress, ReadsGzipMembersOneAfterAnother) {
  const std::string a = some_text(300'000), b = some_text(5), c = some_text(70'000);
  const std::string packed = gzip_member(a) + gzip_member("") + gzip_member(b, "name.tar") +
                             gzip_member(c) + gzip_member("");
  for (const std::size_t step : {1u, 3u, 4096u, 1u << 20}) {
    EXPECT_TRUE(unpacked(packed, Compression::gzip, step) == a + b + c) << step;
  }
  EXPECT_TRUE(unpacked(packed, Compression::gzip, 1000, 7) == a + b + c);
}

TEST(Decompress, ReadsGzipHeadersWithEveryField) {
  // FHCRC, FEXTRA, FNAME and FCOMMENT; the header's own checksum is the low half of its CRC-32.
  std::string header("\x1f\x8b\x08\x1e\0\0\0\0\0\xff\x05\0extraname.tar\0why\0", 30);
  const std::uint32_t crc = crc32_of(0, as_bytes(header));
  header += static_cast<char>(crc);
  header += static_cast<char>(crc >> 8);
  const std::string plain = some_text(1000);
  const std::string packed = gzip_member("x") + header + gzip_member(plain).substr(10);
  // Whatever the pieces it comes in are.
  for (std::size_t step = 1; step < packed.size(); step += step < 64 ? 1 : 97) {
    EXPECT_EQ(unpacked(packed, Compression::gzip, step), "x" + plain) << step;
  }
  std::string wrong = packed;
  wrong[gzip_member("x").size() + 30] ^= 1;
  EXPECT_EQ(error_of(wrong, Compression::gzip),
            "error: gzip data does not have the checksum that its trailer states");
}

TEST(Decompress, ReadsZstdFramesOneAfterAnother) {
  const std::string a = some_text(300'000), b = some_text(5);
  const std::string skippable("\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
  const std::string packed = zstd_frame(a) + zstd_frame("") + skippable + zstd_frame(b);
  for (const std::size_t step : {1u, 3u, 4096u, 1u << 20}) {
    EXPECT_TRUE(unpacked(packed, Compression::zstd, step) == a + b) << step;
  }
}

TEST(Decompress, PassesPlainBytesOn) { EXPECT_EQ(unpacked("plain", Compression::none), "plain"); }

TEST(Decompress, RefusesTruncatedData) {
  const std::string gzip = gzip_member(some_text(5000));
  const std::string zstd = zstd_frame(some_text(5000));
  for (std::size_t cut = 1; cut < gzip.size(); cut += 7) {
    EXPECT_EQ(error_of(gzip.substr(0, gzip.size() - cut), Compression::gzip),
              "error: gzip data is truncated");
  }
  for (std::size_t cut = 1; cut < zstd.size(); cut += 7) {
    EXPECT_EQ(error_of(zstd.substr(0, zstd.size() - cut), Compression::zstd),
              "error: zstd data is truncated");
  }
  EXPECT_EQ(error_of("", Compression::gzip), "error: gzip data is empty");
  EXPECT_EQ(error_of("", Compression::zstd), "error: zstd data is empty");
}

TEST(Decompress, RefusesBytesAfterTheEnd) {
  for (const std::string& junk : {std::string("junk after it"), std::string(512, '\0')}) {
    EXPECT_EQ(error_of(gzip_member("abc") + junk, Compression::gzip),
              "error: gzip data is followed by bytes that are no gzip member");
    EXPECT_TRUE(error_of(zstd_frame("abc") + junk, Compression::zstd)
                    .starts_with("error: zstd data is followed by a broken frame: "));
  }
  EXPECT_EQ(error_of(gzip_member("abc") + "\x1f", Compression::gzip),
            "error: gzip data is truncated");
}

TEST(Decompress, RefusesTheOtherFormat) {
  EXPECT_EQ(error_of(zstd_frame("abc"), Compression::gzip), "error: gzip data has no gzip header");
  EXPECT_EQ(error_of(gzip_member("abc"), Compression::zstd),
            "error: zstd data is broken: Unknown frame descriptor");
}

TEST(Decompress, WrongChecksumsAreIntegrityErrors) {
  const std::string good = gzip_member(some_text(1000));
  for (std::size_t at = good.size() - 8; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_EQ(error_of(bad, Compression::gzip),
              "error: gzip data does not have the checksum that its trailer states");
  }
}

TEST(Decompress, RefusesBrokenDeflateData) {
  std::string bad = gzip_member(some_text(1000));
  bad[10] = '\x07';
  EXPECT_EQ(error_of(bad, Compression::gzip), "error: gzip data is broken: invalid deflate data");
}

TEST(Decompress, RefusesZstdWindowsOverTheLimit) {
  const std::string plain(1000, 'x');
  EXPECT_EQ(unpacked(zstd_frame(plain, 27), Compression::zstd), plain);
  EXPECT_EQ(error_of(zstd_frame(plain, 28), Compression::zstd),
            "error: zstd data is broken: Frame requires too much memory for decoding");
}

}  // namespace
}  // namespace img
