// SPDX-License-Identifier: Apache-2.0
// Layers: digests are those of the bytes, and bytes depend on tree and compression only.
#include "builder/layer/layer_writer.h"

#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "tests/support/random_tree.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::RandomTree;

struct Written {
  Layer layer;
  std::string packed;
};

Written write(const Tree& tree, LayerWriteOptions options) {
  StringSink out;
  Layer layer = write_layer(tree, out, options);
  return {std::move(layer), out.take()};
}

std::string unpacked(const std::string& packed, Compression compression) {
  ViewSource source{as_bytes(packed)};
  const auto plain = open_decompressed(source, compression);
  return read_all(*plain, 1ull << 32, "layer");
}

class LayerWriterTest : public ::testing::TestWithParam<Compression> {
 protected:
  LayerWriteOptions options() const { return {.compression = GetParam()}; }
  RandomTree random(std::uint64_t seed, std::size_t count = 120) {
    return testing::random_tree(seed, count, folder_.path());
  }
  TempDir folder_{fs::temp_directory_path(), "layer-writer-test-"};
};

INSTANTIATE_TEST_SUITE_P(Codecs, LayerWriterTest,
                         ::testing::Values(Compression::gzip, Compression::zstd),
                         [](const auto& codec) { return std::string(to_string(codec.param)); });

TEST_P(LayerWriterTest, DescribesItsBytes) {
  const RandomTree made = random(1);
  const Written written = write(made.tree, options());
  const std::string plain = unpacked(written.packed, GetParam());
  EXPECT_EQ(written.layer.descriptor.digest, Digest::of(written.packed));
  EXPECT_EQ(written.layer.descriptor.size, written.packed.size());
  EXPECT_EQ(written.layer.descriptor.media_type, MediaType::layer(GetParam()));
  EXPECT_EQ(written.layer.diff_id, DiffId(Digest::of(plain)));
  EXPECT_EQ(written.layer.uncompressed_size, plain.size());
  EXPECT_EQ(tar_size(made.tree), plain.size());
}

TEST_P(LayerWriterTest, HoldsThePlainTar) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const RandomTree made = random(seed);
    StringSink plain;
    write_tar(made.tree, plain);
    ASSERT_TRUE(unpacked(write(made.tree, options()).packed, GetParam()) == plain.text()) << seed;
  }
}

TEST_P(LayerWriterTest, ReadsBackWhatWasWritten) {
  const RandomTree made = random(21, 400);
  const std::string plain = unpacked(write(made.tree, options()).packed, GetParam());
  ViewSource source{as_bytes(plain)};
  auto expected = made.tree.entries().begin();
  std::map<std::string, std::string> files;
  read_tar(source, "layer", [&](const TarEntry& entry, Source& body) {
    ASSERT_NE(expected, made.tree.entries().end());
    EXPECT_EQ(entry.path, expected->first);
    const Entry& want = expected->second;
    EXPECT_EQ(entry.entry.type, want.type);
    EXPECT_EQ(entry.entry.mode, want.mode);
    EXPECT_EQ(entry.entry.uid, want.uid);
    EXPECT_EQ(entry.entry.gid, want.gid);
    EXPECT_EQ(entry.entry.link, want.link);
    EXPECT_EQ(entry.entry.xattrs, want.xattrs);
    EXPECT_EQ(entry.entry.device_minor, want.device_minor);
    EXPECT_EQ(entry.mtime, 1577836800);
    if (want.type == EntryType::file) files[entry.path.str()] = read_all(body, 1 << 20, "body");
    ++expected;
  });
  EXPECT_EQ(expected, made.tree.entries().end());
  EXPECT_TRUE(files == made.files);
}

TEST_P(LayerWriterTest, WorkersDoNotChangeBytes) {
  const RandomTree made = random(2, 400);
  LayerWriteOptions many = options();
  many.workers = 4;
  EXPECT_EQ(write(made.tree, many).layer.descriptor.digest,
            write(made.tree, options()).layer.descriptor.digest);
}

TEST_P(LayerWriterTest, OrderOfAddingDoesNotChangeBytes) {
  const RandomTree made = random(3);
  Tree reversed;
  for (auto entry = made.tree.entries().rbegin(); entry != made.tree.entries().rend(); ++entry) {
    reversed.add(entry->first, entry->second);
  }
  reversed.seal("other");
  EXPECT_EQ(write(reversed, options()).layer.descriptor.digest,
            write(made.tree, options()).layer.descriptor.digest);
}

TEST_P(LayerWriterTest, WhereContentsComeFromDoesNotChangeThePlainBytes) {
  const RandomTree made = random(4);
  Tree literals;
  for (const auto& [path, entry] : made.tree.entries()) {
    Entry copy = entry;
    if (entry.type == EntryType::file) copy.content = literal(read_content(entry.content));
    literals.add(path, copy);
  }
  literals.seal("");
  EXPECT_EQ(write(literals, options()).layer.diff_id, write(made.tree, options()).layer.diff_id);
}

TEST_P(LayerWriterTest, EmptyTreeIsAnEmptyTar) {
  const Written written = write(Tree(), options());
  EXPECT_EQ(unpacked(written.packed, GetParam()), std::string(1024, '\0'));
}

TEST_P(LayerWriterTest, ReportsEveryPlainByte) {
  const RandomTree made = random(5);
  std::uint64_t reported = 0;
  LayerWriteOptions with_progress = options();
  with_progress.on_progress = [&](std::uint64_t bytes) { reported += bytes; };
  EXPECT_EQ(write(made.tree, with_progress).layer.uncompressed_size, reported);
}

TEST_P(LayerWriterTest, LyingContentNamesTheFile) {
  DeflatedContent content = testing::deflated(folder_.path() / "x.whl", "hello");
  content.crc32 ^= 1;
  Tree tree;
  tree.add(EntryPath::parse("lib/x.so"), Entry::file(content, 0644, "x.whl"));
  tree.seal("");
  try {
    write(tree, options());
    FAIL();
  } catch (const IntegrityError& error) {
    EXPECT_EQ(error.render(),
              "error: deflate stream at byte 2 of 'x.whl' has another CRC-32 than it should\n"
              "  expected: 3610a687\n"
              "  got:      3610a686\n"
              "  while: writing 'lib/x.so'");
  }
}

TEST_P(LayerWriterTest, FailingOutputEndsTheWork) {
  class FullDisk final : public Sink {
    void write(ByteView) override { throw SystemError(28, "cannot write 'x'"); }
  };
  const RandomTree made = random(6, 300);
  FullDisk disk;
  EXPECT_THROW(write_layer(made.tree, disk, options()), SystemError);
}

TEST(LayerWriter, PlainTarIsNoLayer) {
  NullSink out;
  EXPECT_THROW(write_layer(Tree(), out, {.compression = Compression::none}), InternalError);
}

TEST(LayerWriter, EmptyDeflatedFileIsCheckedToo) {
  const TempDir folder(fs::temp_directory_path(), "layer-writer-test-");
  DeflatedContent content = testing::deflated(folder.path() / "x.whl", "");
  Tree tree;
  tree.put(EntryPath::parse("empty"), Entry::file(content, 0644, ""));
  NullSink out;
  EXPECT_NO_THROW(write_layer(tree, out, {.compression = Compression::gzip}));
  content.packed_size -= 1;
  tree.put(EntryPath::parse("empty"), Entry::file(content, 0644, ""));
  EXPECT_THROW(write_layer(tree, out, {.compression = Compression::gzip}), IntegrityError);
}

}  // namespace
}  // namespace img
