// SPDX-License-Identifier: Apache-2.0
// The glue encoder: what it writes, zlib reads back; headers shrink.
#include "builder/layer/fixed_huffman.h"

#include "builder/layer/tar_writer.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::Random;

std::string inflated(const std::string& packed, std::size_t size) {
  z_stream stream{};
  inflateInit2(&stream, -MAX_WBITS);
  std::string plain(size + 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

/// Encodes the pieces one after another, with a final empty block.
std::string encoded(const std::vector<std::string>& pieces) {
  BitWriter bits;
  FixedHuffmanEncoder encoder(bits);
  std::uint64_t position = 0;
  for (const std::string& piece : pieces) {
    encoder.encode(as_bytes(piece), position);
    position += piece.size();
  }
  encoder.close();
  bits.put(0b011, 3);
  bits.put(0, 7);
  bits.align();
  StringSink out;
  bits.drain(out);
  return out.take();
}

void expect_round_trip(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  EXPECT_EQ(inflated(encoded(pieces), all.size()), all);
}

TEST(FixedHuffman, WritesEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  expect_round_trip({all});
  expect_round_trip({all, all});
}

TEST(FixedHuffman, WritesRunsOfEveryLength) {
  for (std::size_t length = 1; length < 800; ++length) {
    expect_round_trip({std::string(length, '\0'), "x"});
  }
}

TEST(FixedHuffman, RepeatsTheHeaderBeforeAtEveryDistance) {
  Random random(1);
  const std::string header = testing::random_bytes(random, 512, 100);
  for (std::size_t gap = 0; gap < 33'000; gap = gap * 5 / 4 + 1) {
    std::string changed = header;
    changed[random.below(512)] ^= 1;
    changed[random.below(512)] ^= 1;
    expect_round_trip({header, std::string(gap, 'g'), changed});
  }
}

TEST(FixedHuffman, WritesRandomPieces) {
  Random random(2);
  for (int i = 0; i < 300; ++i) {
    std::vector<std::string> pieces;
    for (std::uint64_t n = random.below(6); n > 0; --n) {
      pieces.push_back(testing::random_bytes(random, random.below(1500), 20));
    }
    expect_round_trip(pieces);
  }
}

TEST(FixedHuffman, OnlyBytesOfThisBlockAreRepeated) {
  // Bytes that others wrote lie between the pieces: the run must not lean on a byte before them.
  BitWriter bits;
  FixedHuffmanEncoder encoder(bits);
  encoder.encode(as_bytes("aaaa"), 0);
  encoder.close();
  encoder.encode(as_bytes("aaaa"), 100);
  encoder.close();
  BitWriter alone;
  FixedHuffmanEncoder other(alone);
  other.encode(as_bytes("aaaa"), 0);
  other.close();
  other.encode(as_bytes("aaaa"), 4);  // follows directly: one match
  other.close();
  bits.align();
  alone.align();
  EXPECT_GT(bits.size(), alone.size());
}

TEST(FixedHuffman, ShrinksTarHeaders) {
  const auto header = [](const std::string& name) {
    return tar_header(EntryPath::parse("opt/venv/lib/python3.11/site-packages/torch/" + name),
                      Entry::file(literal(name), 0644, ""));
  };
  const std::size_t one = encoded({header("nn/init.py")}).size();
  EXPECT_LT(one, 130u);
  EXPECT_LT(encoded({header("nn/init.py"), header("nn/other.py")}).size(), one + 40);
}

}  // namespace
}  // namespace img
