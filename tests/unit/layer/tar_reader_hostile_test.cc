// SPDX-License-Identifier: Apache-2.0
// Hostile tars: each is refused with the whole text of its error.
#include "builder/base/error.h"
#include "builder/layer/layer_reader.h"
#include "tests/support/random_tree.h"
#include "tests/support/tar_blocks.h"

#include <gtest/gtest.h>

namespace img {
namespace {

using testing::pax_block;
using testing::pax_record;
using testing::tar_block;
using testing::tar_end;
using testing::TarBlock;

std::string error_of(const std::string& tar, const TarReadLimits& limits = {}) {
  ViewSource source{as_bytes(tar)};
  try {
    read_tar(
        source, "x.tar", [](const TarEntry&, Source& body) { read_all(body, 1 << 20, "body"); },
        limits);
  } catch (const InputError& error) {
    std::string text = error.render();
    const std::string frame = "\n  while: reading 'x.tar'";
    EXPECT_TRUE(text.ends_with(frame)) << text;
    return text.substr(0, text.size() - frame.size());
  }
  return "no error";
}

std::string error_of_entry(const TarBlock& block) { return error_of(tar_block(block) + tar_end()); }

/// Two entries, the second of which is refused.
std::string error_of_pair(const TarBlock& first, const TarBlock& second) {
  return error_of(tar_block(first) + tar_block(second) + tar_end());
}

TEST(HostileTar, Traversal) {
  for (const std::string name :
       {"../x", "a/../../x", "a/..", "..", "./../x", "/../x", "a//b", "a/./b", "//x"}) {
    EXPECT_TRUE(error_of_entry({.name = name})
                    .starts_with("error: entry '" + name + "': '" + name + "' is no entry path: "))
        << name;
  }
  const auto pax = [](const std::string& path) {
    return error_of(pax_block(pax_record("path", path)) + tar_block({.name = "x"}) + tar_end());
  };
  EXPECT_EQ(pax("../x"), "error: entry '../x': '../x' is no entry path: it has the segment '..'");
  EXPECT_EQ(pax(std::string("a\0/b", 4)),
            "error: entry 'a\\x00/b': 'a\\x00/b' is no entry path: it holds a NUL");
  EXPECT_EQ(pax(""), "error: entry '': '' is no entry path: it is empty");
  EXPECT_EQ(pax("\xff"), "error: entry '\\xff': '\\xff' is no entry path: it is no valid UTF-8");
  EXPECT_TRUE(pax(std::string(5000, 'x')).ends_with("it is longer than 4096 bytes"));
  EXPECT_TRUE(
      pax(std::string(65536, '/')).ends_with("is no entry path: it is longer than 4096 bytes"));
}

TEST(HostileTar, RootReplaced) {
  for (const std::string name : {".", "./", "/"}) {
    for (const char type : {'2', '1', '0', '6'}) {
      const std::string text = error_of_entry({.name = name, .type = type, .link = "x"});
      EXPECT_TRUE(text == "error: entry '" + name + "': puts something else in place of the root" ||
                  text == "error: entry '" + name + "': is no folder, but its name ends with '/'")
          << text;
    }
  }
}

TEST(HostileTar, SymlinkThenWriteThrough) {
  EXPECT_EQ(error_of_pair({.name = "x", .type = '2', .link = "/outside"}, {.name = "x/file"}),
            "error: entry 'x/file': lies below 'x', which is no folder but a symlink");
  EXPECT_EQ(
      error_of_pair({.name = "x", .type = '2', .link = "/outside"}, {.name = "x/d/", .type = '5'}),
      "error: entry 'x/d/': lies below 'x', which is no folder but a symlink");
  EXPECT_EQ(error_of_pair({.name = "x", .type = '2', .link = "/outside"}, {.name = "x/d/e/f"}),
            "error: entry 'x/d/e/f': lies below 'x', which is no folder but a symlink");
  EXPECT_EQ(error_of_pair({.name = "x/file"}, {.name = "x", .type = '2', .link = "/outside"}),
            "error: entry 'x': is no folder, but earlier entries lie below it");
}

TEST(HostileTar, DuplicatesOfEveryKind) {
  const std::vector<TarBlock> kinds = {{.name = "a"},
                                       {.name = "a", .type = '2', .link = "b"},
                                       {.name = "a", .type = '5'},
                                       {.name = "./a", .type = '6'},
                                       {.name = "/a", .type = '3'}};
  for (const TarBlock& first : kinds) {
    for (const TarBlock& second : kinds) {
      EXPECT_EQ(error_of_pair(first, second), "error: entry '" + second.name + "': comes twice");
    }
  }
}

TEST(HostileTar, HardLinks) {
  const auto linked = [](const std::string& target) {
    return error_of(tar_block({.name = "d", .type = '5'}) +
                    tar_block({.name = "s", .type = '2', .link = "f"}) +
                    tar_block({.name = "h", .type = '1', .link = target}) +
                    tar_block({.name = "f"}) + tar_end());
  };
  for (const std::string target : {"gone", "f", "d", "s", "h", ".", "d/x"}) {
    EXPECT_EQ(linked(target), "error: entry 'h': is a hard link to '" + target +
                                  "', which is no earlier file of the archive");
  }
  EXPECT_EQ(linked("../../etc/x"),
            "error: entry 'h': '../../etc/x' is no entry path: it has the segment '..'");
  EXPECT_EQ(linked(""), "error: entry 'h': '' is no entry path: it is empty");
  EXPECT_EQ(error_of_pair({.name = "f"}, {.name = "h", .type = '1', .body = "data", .link = "f"}),
            "error: entry 'h': is a hard link with data");
}

TEST(HostileTar, DataWhereNoneBelongs) {
  EXPECT_EQ(error_of_entry({.name = "s", .type = '2', .body = "x", .link = "t"}),
            "error: entry 's': is a symlink with data");
  EXPECT_EQ(error_of_entry({.name = "d", .type = '5', .body = "x"}),
            "error: entry 'd': is a directory with data");
  EXPECT_EQ(error_of_entry({.name = "f/"}),
            "error: entry 'f/': is no folder, but its name ends with '/'");
  EXPECT_EQ(error_of_entry({.name = "s", .type = '2'}),
            "error: entry 's': is a symlink without a valid target");
}

TEST(HostileTar, PaxSizeAgainstUstarSize) {
  // A tar within a tar: who believes ustar reads "inner" as an entry.
  const std::string inner = tar_block({.name = "inner"}) + tar_end();
  const std::string smuggled = pax_block(pax_record("size", std::to_string(inner.size()))) +
                               tar_block({.name = "outer"}) + inner + tar_end();
  EXPECT_EQ(error_of(smuggled),
            "error: entry 'outer': has two different sizes\n"
            "  PAX:   1,536\n"
            "  ustar: 0");
  EXPECT_EQ(error_of(pax_block(pax_record("size", "0")) + tar_block({.name = "f", .body = "abc"}) +
                     tar_end()),
            "error: entry 'f': has two different sizes\n"
            "  PAX:   0\n"
            "  ustar: 3");
  EXPECT_EQ(error_of(pax_block(pax_record("size", "3")) + tar_block({.name = "f", .body = "abc"}) +
                     tar_end()),
            "no error");
  for (const std::string size : {"-1", "", " 3", "0x3", "18446744073709551616", "3 "}) {
    EXPECT_EQ(error_of(pax_block(pax_record("size", size)) +
                       tar_block({.name = "f", .body = "abc"}) + tar_end()),
              "error: entry 'f': has a PAX size that is no number");
  }
}

TEST(HostileTar, HugeSizes) {
  EXPECT_EQ(error_of(pax_block(pax_record("size", "9000000000000000000")) +
                     tar_block({.name = "f"}) + tar_end()),
            "error: the archive ends within entry 'f'");
  EXPECT_EQ(error_of(tar_block({.name = "f", .size_field = "777777777777"}) + tar_end()),
            "error: the archive ends within entry 'f'");
  const std::string negative(12, '\xff');
  EXPECT_EQ(error_of_entry({.name = "f", .size_field = negative}),
            "error: entry 'f': a header has no valid number as size");
  std::string huge(12, '\xff');
  huge[0] = '\x80';
  EXPECT_EQ(error_of_entry({.name = "f", .size_field = huge}),
            "error: entry 'f': a header has no valid number as size");
  EXPECT_EQ(error_of_entry({.name = "f", .size_field = "12x"}),
            "error: entry 'f': a header has no valid number as size");
  EXPECT_EQ(error_of_entry({.name = "f", .size_field = "-1"}),
            "error: entry 'f': a header has no valid number as size");
}

TEST(HostileTar, MalformedPax) {
  for (const std::string records :
       {"x", "5 a=b", "6 a=b\n\n", "7 a=b\n", "0 a=b\n", "6a=b\n", "6 =bc\n", "6 abc\n", "-6 a=b\n",
        " 6 a=b\n", "4 =\n", "99999999999 a=b\n", "06 a=b", "18446744073709551622 a=b\n"}) {
    EXPECT_EQ(error_of(pax_block(records) + tar_block({.name = "f"}) + tar_end()),
              "error: a PAX header has a malformed record")
        << records;
  }
  EXPECT_EQ(error_of(pax_block(pax_record("path", "a") + pax_record("path", "b")) +
                     tar_block({.name = "f"}) + tar_end()),
            "error: a PAX header has the record 'path' twice");
}

TEST(HostileTar, ExtendedHeaders) {
  const std::string huge(1'100'000, 'x');
  EXPECT_EQ(error_of(pax_block(pax_record("comment", huge)) + tar_block({.name = "f"}) + tar_end()),
            "error: an extended header has more than 1,048,576 bytes");
  EXPECT_EQ(error_of(tar_block({.name = "x", .type = 'L', .body = huge}) + tar_end()),
            "error: an extended header has more than 1,048,576 bytes");
  EXPECT_EQ(error_of(pax_block(pax_record("a", "b")) + pax_block(pax_record("c", "d")) +
                     tar_block({.name = "f"}) + tar_end()),
            "error: an entry has two extended headers of one kind");
  EXPECT_EQ(error_of(pax_block(pax_record("path", "b")) +
                     tar_block({.name = "x", .type = 'L', .body = "other"}) +
                     tar_block({.name = "f"}) + tar_end()),
            "error: an entry has both PAX and GNU extended headers");
  EXPECT_EQ(error_of(pax_block(pax_record("path", "everywhere"), 'g') + tar_block({.name = "f"}) +
                     tar_end()),
            "error: a global PAX header sets 'path'");
  EXPECT_EQ(error_of(pax_block(pax_record("path", "f")) + tar_end()),
            "error: the archive ends after an extended header");
  EXPECT_EQ(error_of(pax_block(pax_record("GNU.sparse.size", "5")) + tar_block({.name = "f"}) +
                     tar_end()),
            "error: entry 'f': is a sparse file");
  EXPECT_EQ(error_of(pax_block(pax_record("uid", "-1")) + tar_block({.name = "f"}) + tar_end()),
            "error: entry 'f': has no valid uid");
  EXPECT_EQ(error_of(pax_block(pax_record("mtime", "now")) + tar_block({.name = "f"}) + tar_end()),
            "error: entry 'f': has no valid PAX mtime");
  std::string cut = tar_block({.name = "x", .type = 'x', .size_field = "00000007000"});
  EXPECT_EQ(error_of(cut), "error: the archive ends within an extended header");
}

TEST(HostileTar, UnknownTypes) {
  for (const char type : {'S', '7', 'M', 'D', 'V', 'Z', '\x01'}) {
    EXPECT_TRUE(error_of_entry({.name = "f", .type = type})
                    .starts_with("error: entry 'f': is of a type that layers do not have: '"));
  }
}

TEST(HostileTar, Whiteouts) {
  for (const std::string name : {".wh.", "d/.wh.", ".wh..", ".wh...", ".wh..wh.", ".wh..wh.plnk"}) {
    EXPECT_EQ(error_of_entry({.name = name}),
              "error: entry '" + name + "': is a whiteout that names nothing");
  }
  EXPECT_EQ(error_of_entry({.name = "d/.wh..wh..opq", .type = '5'}),
            "error: entry 'd/.wh..wh..opq': is a whiteout that is no empty file");
  EXPECT_EQ(error_of_entry({.name = ".wh.x", .type = '2', .link = "y"}),
            "error: entry '.wh.x': is a whiteout that is no empty file");
  EXPECT_EQ(error_of_entry({.name = ".wh.x", .body = "data"}),
            "error: entry '.wh.x': is a whiteout that is no empty file");
  EXPECT_EQ(error_of_entry({.name = "a/.wh.x/y"}),
            "error: entry 'a/.wh.x/y': lies below a whiteout");
  EXPECT_EQ(error_of_pair({.name = "s", .type = '2', .link = "/"}, {.name = "s/.wh.etc"}),
            "error: entry 's/.wh.etc': lies below 's', which is no folder but a symlink");
}

TEST(HostileTar, DamagedHeaders) {
  std::string wrong_sum = tar_block({.name = "f"});
  wrong_sum[0] = 'g';
  EXPECT_EQ(error_of(wrong_sum + tar_end()), "error: a header has a wrong checksum");
  EXPECT_EQ(error_of_entry({.name = "f", .magic = "posix"}), "error: a header is no ustar header");
  EXPECT_EQ(error_of(std::string(512, 'x')), "error: a header has no valid number as checksum");
}

TEST(HostileTar, Ends) {
  const std::string entry = tar_block({.name = "f", .body = "abc"});
  EXPECT_EQ(error_of(""), "error: the archive has no end mark");
  EXPECT_EQ(error_of(entry), "error: the archive has no end mark");
  EXPECT_EQ(error_of(entry + std::string(512, '\0')),
            "error: the archive has only half an end mark");
  EXPECT_EQ(error_of(entry + std::string(512, '\0') + entry + tar_end()),
            "error: the archive has only half an end mark");
  EXPECT_EQ(error_of(entry + tar_end() + entry + tar_end()),
            "error: the archive is followed by bytes that are not zero");
  EXPECT_EQ(error_of(entry + tar_end() + "x"),
            "error: the archive is followed by bytes that are not zero");
  EXPECT_EQ(error_of(entry.substr(0, 300)), "error: the archive ends within a block");
  EXPECT_EQ(error_of(entry.substr(0, 514)), "error: the archive ends within entry 'f'");
  EXPECT_EQ(error_of(entry.substr(0, 600)), "error: entry 'f': the archive ends within it");
}

TEST(HostileTar, Limits) {
  const std::string two = tar_block({.name = "a"}) + tar_block({.name = "b"}) + tar_end();
  EXPECT_EQ(error_of(two, {.entries = 1}), "error: the archive has more than 1 entries");
  EXPECT_EQ(error_of(two, {.bytes = 1000}), "error: the archive has more than 1,000 bytes");
  EXPECT_EQ(error_of(two, {.entries = 2, .bytes = 2048}), "no error");
}

TEST(HostileTar, NamesCannotMoveTheCursor) {
  EXPECT_EQ(
      error_of_entry({.name = "\x1b[2Ja/../b"}),
      "error: entry '\\x1b[2Ja/../b': '\\x1b[2Ja/../b' is no entry path: it has the segment '..'");
}

TEST(HostileTar, NoiseIsRefusedOrRead) {
  testing::Random random(1);
  const std::string good = pax_block(pax_record("path", "some/path")) +
                           tar_block({.name = "f", .body = "abc"}) +
                           tar_block({.name = "s", .type = '2', .link = "f"}) + tar_end();
  for (int i = 0; i < 5000; ++i) {
    std::string bad = good;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      bad[random.below(bad.size())] = static_cast<char>(random.next());
    }
    for (const std::size_t at : {0, 1024, 2048}) {  // the headers
      std::string block = bad.substr(at, 512);
      if (random.below(2) == 0) testing::set_checksum(block);
      bad.replace(at, 512, block);
    }
    error_of(bad);
  }
}

}  // namespace
}  // namespace img
