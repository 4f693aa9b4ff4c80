// SPDX-License-Identifier: Apache-2.0
// Foreign tars: every packing is taken off, every trick is refused by name.
#include "builder/inputs/archive.h"

#include "tests/support/deb_builder.h"
#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

std::string from_hex_text(const std::string& hex) {
  const auto bytes = from_hex(hex);
  return std::string(bytes->begin(), bytes->end());
}

/// "path type mode link body;" of each entry.
std::string walked(const std::string& packed, const ArchiveLimits& limits = {}) {
  ViewSource source(as_bytes(packed));
  std::string text;
  read_archive(source, "t.tar", limits, [&](const EntryPath& path, Entry entry, Source& body) {
    text += path.str() + " " + std::string(to_string(entry.type)) + " " +
            std::to_string(entry.mode) + " " + entry.link + " " + read_all(body, 1 << 20, "body");
    for (const auto& [name, value] : entry.xattrs) text += " " + name + "=" + value;
    text += ";";
  });
  return text;
}

std::string refused(const std::string& packed, const ArchiveLimits& limits = {}) {
  return refusal([&] { walked(packed, limits); });
}

std::string hello() { return tar_block({.name = "hello", .body = "hi"}) + tar_end(); }

TEST(Archive, TakesEveryPackingOff) {
  const std::string expected = "hello file 420  hi;";
  EXPECT_EQ(walked(hello()), expected);
  EXPECT_EQ(walked(gzipped(hello())), expected);
  // The tar of one file "hello", packed by other programs.
  EXPECT_EQ(walked(from_hex_text(
                "fd377a585a000004e6d6b4460200210116000000742fe5a3e027ff005a5d00341949ee8dd7f8b83f"
                "c93732dec8d580313439be3e1b03cccf24ad3de57d45169d2ef5b1c2a8d8095ce2b62f566e78db7a"
                "b2db4fdc52606c825719d2d0c06428c02ed11f85170ae7439f2d5c82e441fb5c902c7ffd361a6684"
                "000000001895960b99dc301700017680500000003185c564b1c467fb020000000004595a")),
            expected)
      << "xz";
  EXPECT_EQ(walked(from_hex_text(
                "5d00008000ffffffffffffffff00341949ee8dd7f8b83fc93732dec8d580313439be3e1b03cccf24"
                "ad3de57d45169d2ef5b1c2a8d8095ce2b62f566e78db7ab2db4fdc52606c825719d2d0c06428c02e"
                "d11f85170ae7439f2d5c82e441fb5c902c7ffd3631bdd17ffffa263000")),
            expected)
      << "lzma";
  EXPECT_EQ(walked(from_hex_text(
                "425a68393141592653595b7b490a00006ddb80c98040005d80000862649e00080820005434a7a980"
                "0981a6a092299069e900325fbc87420ea408451bc8cc8d74c50218188713b08ddd03ada3e7cd6fa6"
                "137153e204555911101f8bb9229c28482dbda48500")),
            expected)
      << "bz2";
  EXPECT_EQ(walked(from_hex_text(
                "28b52ffd04582d0200a40268656c6c6f003030303036343430303030303032000030303637363300"
                "203000757374617200306869000900fa05f003010a8837a40680e4400430688063e5323b81225459"
                "c1b1")),
            expected)
      << "zst";
}

TEST(Archive, GivesTypesModesLinksAndCapabilities) {
  EXPECT_EQ(walked(tar_block({.name = "./", .type = '5'}) +
                   tar_block({.name = "./bin/", .type = '5', .mode_field = "0000755"}) +
                   pax_block(pax_record("SCHILY.xattr.security.capability", "cap") +
                             pax_record("SCHILY.xattr.user.note", "lost")) +
                   tar_block({.name = "./bin/su", .body = "su", .mode_field = "0004755"}) +
                   tar_block({.name = "./bin/link", .type = '1', .link = "./bin/su"}) +
                   tar_block({.name = "./bin/sh", .type = '2', .link = "../dash"}) + tar_end()),
            "bin directory 493  ;bin/su file 2541  su security.capability=cap;"
            "bin/link hard link 420 bin/su ;bin/sh symlink 420 ../dash ;");
}

TEST(Archive, RefusesLeftOversOfEveryPacking) {
  EXPECT_EQ(
      refused(gzipped(hello()) + "junk"),
      "error: 't.tar' has bytes after the end of its packed stream\n  while: reading 't.tar'");
  EXPECT_EQ(refused(gzipped(hello()).substr(0, 40)).substr(0, 32),
            "error: 't.tar' does not unpack\n ");
  EXPECT_EQ(refused(gzipped(gzipped(hello()))), "error: 't.tar' is packed more than once");
  EXPECT_EQ(refused(""), "error: 't.tar' does not unpack\n  reason: it is empty");
}

TEST(Archive, RefusesASecondArchiveAfterTheEnd) {
  const std::string text = refused(hello() + hello());
  EXPECT_NE(text.find("is followed by bytes that are not zero"), std::string::npos) << text;
}

TEST(Archive, RefusesEscapesDuplicatesAndRemovalMarks) {
  const auto with = [](const std::string& blocks) { return refused(blocks + tar_end()); };
  const std::string file = tar_block({.name = "a", .body = "x"});
  const std::string link = tar_block({.name = "l", .type = '2', .link = "/etc"});
  for (const std::string& blocks :
       {tar_block({.name = "../x"}), tar_block({.name = "a/../../x"}), tar_block({.name = "a//x"}),
        file + file, link + tar_block({.name = "l", .body = "x"}),
        link + tar_block({.name = "l/passwd", .body = "x"}), file + tar_block({.name = "a/b"}),
        tar_block({.name = ".", .type = '2', .link = "/"}), tar_block({.name = "./", .body = "x"}),
        tar_block({.name = "h", .type = '1', .link = "../etc/passwd"}),
        tar_block({.name = "h", .type = '1', .link = "later"}) + tar_block({.name = "later"}),
        link + tar_block({.name = "h", .type = '1', .link = "l"}),
        pax_block(pax_record("size", "1024")) + tar_block({.name = "s", .body = "12"}),
        tar_block({.name = "s", .type = 'S'})}) {
    const std::string text = with(blocks);
    EXPECT_EQ(text.substr(0, 6), "error:") << text;
  }
  EXPECT_EQ(with(tar_block({.name = "etc/.wh.passwd"})),
            "error: 't.tar': entry 'etc/.wh.passwd' is named like a removal mark of image layers\n "
            " while: reading 't.tar'");
  EXPECT_EQ(with(tar_block({.name = ".wh..wh..opq"})),
            "error: 't.tar': entry '.wh..wh..opq' is named like a removal mark of image layers\n  "
            "while: reading 't.tar'");
}

TEST(Archive, HoldsItsLimits) {
  EXPECT_NE(refused(hello(), {.entries = 0}), "nothing was thrown");
  EXPECT_NE(refused(hello(), {.bytes = 600}), "nothing was thrown");
  EXPECT_EQ(refused(hello(), {.path_bytes = 4}),
            "error: 't.tar': entry 'hello' has too long a path\n  while: reading 't.tar'");
}

}  // namespace
}  // namespace img::testing
