// SPDX-License-Identifier: Apache-2.0
// The tars of others that are read: ustar, PAX, GNU.
#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "tests/support/tar_blocks.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::pax_block;
using testing::pax_record;
using testing::tar_block;
using testing::tar_end;

struct Read {
  TarEntry entry;
  std::string body;
};

std::vector<Read> read(const std::string& tar) {
  ViewSource source{as_bytes(tar)};
  std::vector<Read> entries;
  const std::uint64_t count = read_tar(source, "x.tar", [&](const TarEntry& entry, Source& body) {
    entries.push_back({entry, read_all(body, 1 << 20, "body")});
  });
  EXPECT_EQ(count, tar.size());
  return entries;
}

const std::string kGnu("ustar  \0", 8);

TEST(TarReader, ReadsUstarEntries) {
  const auto entries = read(tar_block({.name = "./d/", .type = '5'}) +
                            tar_block({.name = "./d/f", .body = std::string(700, 'x')}) +
                            tar_block({.name = "d/h", .type = '1', .link = "./d/f"}) +
                            tar_block({.name = "d/s", .type = '2', .link = "/anywhere"}) +
                            tar_block({.name = "name", .prefix = "d"}) + tar_end());
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].entry.path.str(), "d");
  EXPECT_EQ(entries[0].entry.entry.type, EntryType::directory);
  EXPECT_EQ(entries[1].body, std::string(700, 'x'));
  EXPECT_EQ(entries[1].entry.size, 700u);
  EXPECT_EQ(entries[2].entry.entry.link, "d/f");
  EXPECT_EQ(entries[3].entry.entry.link, "/anywhere");
  EXPECT_EQ(entries[4].entry.path.str(), "d/name");
}

TEST(TarReader, RootFolderIsNotVisited) {
  EXPECT_TRUE(read(tar_block({.name = "./", .type = '5'}) + tar_end()).empty());
}

TEST(TarReader, BodyMayBeLeftUnread) {
  const std::string tar = tar_block({.name = "a", .body = std::string(5000, 'x')}) +
                          tar_block({.name = "b", .body = "second"}) + tar_end();
  ViewSource source{as_bytes(tar)};
  std::string last;
  read_tar(source, "x.tar", [&](const TarEntry& entry, Source& body) {
    std::uint8_t few[10];
    const std::size_t count = body.read(few);
    last = entry.path.str() + ":" + std::string(as_text(ByteView(few, count)));
  });
  EXPECT_EQ(last, "b:second");
}

TEST(TarReader, ReadsPaxRecords) {
  const std::string path(300, 'p');
  const std::string deep = path.substr(0, 200) + "/" + path.substr(0, 200);
  const auto entries =
      read(pax_block(pax_record("path", deep) + pax_record("uid", "4000000000") +
                     pax_record("mtime", "1700000000.75") + pax_record("comment", "=a=b\nc") +
                     pax_record("SCHILY.xattr.security.capability", std::string("\1\0\n", 3))) +
           tar_block({.name = "ignored", .body = "x"}) +
           pax_block(pax_record("mtime", "-1.5") + pax_record("linkpath", deep)) +
           tar_block({.name = "second", .type = '2', .link = "ignored"}) + tar_end());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].entry.path.str(), deep);
  EXPECT_EQ(entries[0].entry.entry.uid, 4000000000u);
  EXPECT_EQ(entries[0].entry.mtime, 1700000000);
  EXPECT_EQ(entries[0].entry.entry.xattrs.at("security.capability"), std::string("\1\0\n", 3));
  EXPECT_EQ(entries[1].entry.mtime, -2);
  EXPECT_EQ(entries[1].entry.entry.link, deep);
  EXPECT_EQ(entries[1].entry.entry.uid, 0u);
}

TEST(TarReader, ReadsGnuLongNames) {
  const std::string name = std::string(200, 'n') + "/" + std::string(200, 'm');
  const auto entries =
      read(tar_block({.name = "././@LongLink", .type = 'L', .body = name + '\0', .magic = kGnu}) +
           tar_block({.name = name, .body = "x", .magic = kGnu, .prefix = "not a prefix"}) +
           tar_block({.name = "././@LongLink", .type = 'K', .body = name + '\0', .magic = kGnu}) +
           tar_block({.name = "s", .type = '2', .magic = kGnu}) + tar_end());
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].entry.path.str(), name);
  EXPECT_EQ(entries[1].entry.entry.link, name);
}

TEST(TarReader, ReadsBase256AndOldNumbers) {
  std::string size("\x80\0\0\0\0\0\0\0\0\0\0\3", 12);
  const auto entries = read(tar_block({.name = "a", .body = "abc", .size_field = size}) +
                            tar_block({.name = "b", .body = "abc", .size_field = "         3 "}) +
                            tar_block({.name = "c", .mode_field = "100755 "}) + tar_end());
  EXPECT_EQ(entries[0].body, "abc");
  EXPECT_EQ(entries[1].body, "abc");
  EXPECT_EQ(entries[2].entry.entry.mode, 0755u);
}

TEST(TarReader, AcceptsZerosAfterTheEndAndAGlobalComment) {
  EXPECT_EQ(read(pax_block(pax_record("comment", "git commit"), 'g') + tar_block({.name = "a"}) +
                 tar_end() + std::string(8192, '\0'))
                .size(),
            1u);
}

TEST(TarReader, TellsWhiteoutsApart) {
  const auto entries =
      read(tar_block({.name = "d/.wh.gone"}) + tar_block({.name = "d/.wh..wh..opq"}) +
           tar_block({.name = "d/.who"}) + tar_end());
  EXPECT_TRUE(entries[0].entry.is_whiteout);
  EXPECT_FALSE(entries[0].entry.is_opaque_marker);
  EXPECT_EQ(entries[0].entry.path.str(), "d/.wh.gone");
  EXPECT_TRUE(entries[1].entry.is_opaque_marker);
  EXPECT_FALSE(entries[1].entry.is_whiteout);
  EXPECT_FALSE(entries[2].entry.is_whiteout);
}

TEST(TarReader, FolderMayFollowWhatItHolds) {
  EXPECT_EQ(read(tar_block({.name = "d/e/f"}) + tar_block({.name = "d", .type = '5'}) +
                 tar_block({.name = "d/e", .type = '5'}) + tar_end())
                .size(),
            3u);
}

TEST(TarReader, ErrorsOfTheVisitorPassThrough) {
  const std::string tar = tar_block({.name = "a"}) + tar_end();
  ViewSource source{as_bytes(tar)};
  try {
    read_tar(source, "x.tar", [](const TarEntry&, Source&) { throw InputError("mine"); });
    FAIL();
  } catch (const InputError& error) {
    EXPECT_EQ(error.render(), "error: mine\n  while: reading 'x.tar'");
  }
}

}  // namespace
}  // namespace img
