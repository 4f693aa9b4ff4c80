// SPDX-License-Identifier: Apache-2.0
// Headers of the canonical tar, byte by byte.
#include "builder/layer/tar_writer.h"

#include "builder/layer/layer_writer.h"

#include <gtest/gtest.h>

namespace img {
namespace {

std::string header_of(std::string_view path, const Entry& entry) {
  return tar_header(EntryPath::parse(path), entry);
}

std::string field(const std::string& block, std::size_t offset, std::size_t size) {
  return block.substr(offset, size);
}

std::string text(const std::string& block, std::size_t offset, std::size_t size) {
  return std::string(field(block, offset, size).c_str());
}

std::string with_nul(std::string digits) { return digits + '\0'; }

TEST(TarWriter, WritesOneUstarBlockForAnOrdinaryFile) {
  const std::string block = header_of("usr/bin/x", Entry::file(literal("12345678"), 0755, "any"));
  ASSERT_EQ(block.size(), 512u);
  EXPECT_EQ(text(block, 0, 100), "usr/bin/x");
  EXPECT_EQ(field(block, 100, 8), with_nul("0000755"));
  EXPECT_EQ(field(block, 108, 8), with_nul("0000000"));
  EXPECT_EQ(field(block, 116, 8), with_nul("0000000"));
  EXPECT_EQ(field(block, 124, 12), with_nul("00000000010"));
  EXPECT_EQ(field(block, 136, 12), with_nul("13602760400"));  // 2020-01-01
  EXPECT_EQ(field(block, 156, 1), "0");
  EXPECT_EQ(field(block, 257, 8), std::string("ustar\0"
                                              "00",
                                              8));
  EXPECT_EQ(text(block, 265, 64), "");  // no user, no group
  EXPECT_EQ(field(block, 329, 16), with_nul("0000000") + with_nul("0000000"));
  EXPECT_EQ(text(block, 345, 155), "");
}

TEST(TarWriter, ChecksumCountsTheBlockWithSpacesInItsPlace) {
  std::string block = header_of("a", Entry::directory(0755, "any"));
  const std::string checksum = field(block, 148, 8);
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (const unsigned char byte : block) sum += byte;
  char expected[8];
  snprintf(expected, sizeof(expected), "%06o", sum);
  EXPECT_EQ(checksum, std::string(expected) + '\0' + ' ');
}

TEST(TarWriter, TypesHaveTheirFlags) {
  EXPECT_EQ(header_of("a", Entry::directory(0755, ""))[156], '5');
  EXPECT_EQ(text(header_of("a", Entry::directory(0755, "")), 0, 100), "a/");
  const std::string link = header_of("a", Entry::symlink("../b", ""));
  EXPECT_EQ(link[156], '2');
  EXPECT_EQ(text(link, 157, 100), "../b");
  EXPECT_EQ(header_of("a", Entry{.type = EntryType::hardlink, .link = "b"})[156], '1');
  EXPECT_EQ(header_of("a", Entry{.type = EntryType::fifo})[156], '6');
  const std::string device = header_of(
      "null",
      Entry{
          .type = EntryType::character_device, .mode = 0666, .device_major = 1, .device_minor = 3});
  EXPECT_EQ(device[156], '3');
  EXPECT_EQ(field(device, 329, 16), with_nul("0000001") + with_nul("0000003"));
}

TEST(TarWriter, LongPathsAreSplitAtTheFirstSlashThatFits) {
  const std::string folder = std::string(60, 'd') + "/" + std::string(30, 'e');
  const std::string name = std::string(69, 'f');
  const std::string block = header_of(folder + "/" + name, Entry::file(literal(""), 0644, ""));
  ASSERT_EQ(block.size(), 512u);
  EXPECT_EQ(field(block, 0, 100), std::string(30, 'e') + "/" + name);  // no NUL: exactly 100
  EXPECT_EQ(text(block, 345, 155), std::string(60, 'd'));
}

TEST(TarWriter, PaxIsWrittenOnlyWhereUstarDoesNotFit) {
  const auto size_of = [](std::string_view path) {
    return header_of(path, Entry::file(literal(""), 0644, "")).size();
  };
  const std::string n100(100, 'n'), n101(101, 'n'), p155(155, 'p'), p156(156, 'p');
  EXPECT_EQ(size_of(n100), 512u);
  EXPECT_EQ(size_of(n101), 1536u);
  EXPECT_EQ(size_of(p155 + "/" + n100), 512u);
  EXPECT_EQ(size_of(p156 + "/" + n100), 1536u);
  EXPECT_EQ(size_of("\xc3\xa4"), 1536u);
}

TEST(TarWriter, FolderIsNotSplitAtItsLastSlash) {
  const std::string name(100, 'n');
  EXPECT_EQ(header_of(name, Entry::directory(0755, "")).size(), 1536u);
  EXPECT_EQ(header_of("p/" + name.substr(1), Entry::directory(0755, "")).size(), 512u);
}

TEST(TarWriter, PaxRecordsHaveAFixedOrderAndNoOwnName) {
  Entry entry = Entry::file(StoredContent{.size = 1ull << 33}, 0644, "");
  entry.uid = 2097152;
  entry.gid = 4294967295;
  entry.xattrs = {{"user.b", "2"}, {"security.capability", std::string("\1\0", 2)}};
  const std::string path = std::string(101, 'n');
  const std::string blocks = header_of(path, entry);
  EXPECT_EQ(text(blocks, 0, 100), "PaxHeader");
  EXPECT_EQ(field(blocks, 100, 8), with_nul("0000644"));
  EXPECT_EQ(blocks[156], 'x');
  const std::string records = "111 path=" + path + "\n" + "19 size=8589934592\n" +
                              "15 uid=2097152\n" + "18 gid=4294967295\n" +
                              std::string("39 SCHILY.xattr.security.capability=\1\0\n", 39) +
                              "25 SCHILY.xattr.user.b=2\n";
  EXPECT_EQ(blocks.substr(512, records.size()), records);
  const std::string header = blocks.substr(blocks.size() - 512);
  EXPECT_EQ(field(header, 124, 12), with_nul("00000000000"));
  EXPECT_EQ(field(header, 108, 16), with_nul("0000000") + with_nul("0000000"));
}

TEST(TarWriter, PaxLengthCountsItsOwnDigits) {
  // 99 bytes without digits of its own: one more digit is needed than a first guess says.
  for (std::size_t size = 80; size < 130; ++size) {
    Entry entry = Entry::symlink(std::string(101, 'l') + std::string(size, 'm'), "");
    const std::string blocks = header_of("a", entry);
    const std::string record = blocks.substr(512, blocks.find('\n', 512) + 1 - 512);
    EXPECT_EQ(std::stoul(record), record.size());
  }
}

TEST(TarWriter, PaddingFillsBlocks) {
  EXPECT_EQ(tar_padding(0), 0u);
  EXPECT_EQ(tar_padding(1), 511u);
  EXPECT_EQ(tar_padding(512), 0u);
  EXPECT_EQ(tar_padding(513), 511u);
}

TEST(TarWriter, ArchiveEndsWithTwoZeroBlocksAndNothingElse) {
  Tree tree;
  StringSink empty;
  write_tar(tree, empty);
  EXPECT_EQ(empty.text(), std::string(1024, '\0'));
  tree.add(EntryPath::parse("a"), Entry::file(literal("x"), 0644, ""));
  tree.seal("");
  StringSink one;
  write_tar(tree, one);
  EXPECT_EQ(one.text().size(), 512u + 512u + 1024u);
  EXPECT_EQ(tar_size(tree), one.text().size());
}

}  // namespace
}  // namespace img
