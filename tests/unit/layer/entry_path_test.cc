// SPDX-License-Identifier: Apache-2.0
// EntryPath: what is a path of a layer and what is not.
#include "builder/layer/entry_path.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

std::string error_of(std::string_view text) {
  try {
    EntryPath::parse(text);
  } catch (const InputError& error) {
    return error.render();
  }
  return "no error";
}

TEST(EntryPath, AcceptsCanonicalPaths) {
  for (const char* text :
       {"a", "usr/lib/libc.so.6", "...", "a/..b", "\xc3\xa4", ".wh.x", "a b\nc"}) {
    EXPECT_EQ(EntryPath::parse(text).str(), text);
  }
}

TEST(EntryPath, NamesTheBrokenRule) {
  EXPECT_EQ(error_of(""), "error: '' is no entry path: it is empty");
  EXPECT_EQ(error_of("/a"), "error: '/a' is no entry path: it is absolute");
  EXPECT_EQ(error_of("a/"), "error: 'a/' is no entry path: it ends with '/'");
  EXPECT_EQ(error_of("a//b"), "error: 'a//b' is no entry path: it has an empty segment");
  EXPECT_EQ(error_of("./a"), "error: './a' is no entry path: it has the segment '.'");
  EXPECT_EQ(error_of("a/../b"), "error: 'a/../b' is no entry path: it has the segment '..'");
  EXPECT_EQ(error_of(".."), "error: '..' is no entry path: it has the segment '..'");
  EXPECT_EQ(error_of(std::string_view("a\0b", 3)),
            "error: 'a\\x00b' is no entry path: it holds a NUL");
  EXPECT_EQ(error_of("\xff"), "error: '\\xff' is no entry path: it is no valid UTF-8");
  const std::string segment(256, 'a');
  EXPECT_EQ(error_of(segment),
            "error: '" + segment + "' is no entry path: it has a segment of more than 255 bytes");
  std::string longest;
  for (int i = 0; i < 2049; ++i) longest += "a/";
  longest.pop_back();
  EXPECT_TRUE(error_of(longest).ends_with("' is no entry path: it is longer than 4096 bytes"));
  EXPECT_NO_THROW(EntryPath::parse(longest.substr(0, 4095)));
}

TEST(EntryPath, ReadsTarNames) {
  EXPECT_EQ(EntryPath::parse_tar_name("./a/b")->str(), "a/b");
  EXPECT_EQ(EntryPath::parse_tar_name("/a/b/")->str(), "a/b");
  EXPECT_EQ(EntryPath::parse_tar_name("a")->str(), "a");
  EXPECT_FALSE(EntryPath::parse_tar_name("."));
  EXPECT_FALSE(EntryPath::parse_tar_name("./"));
  EXPECT_FALSE(EntryPath::parse_tar_name("/"));
}

TEST(EntryPath, RefusesTarNamesThatLeaveTheRoot) {
  for (const char* name : {"", "..", "../x", "./../x", "/../x", "a/../../x", "a/..", "//x", "././x",
                           "a//", "a/.", "//"}) {
    EXPECT_THROW(EntryPath::parse_tar_name(name), InputError) << name;
  }
}

TEST(EntryPath, TakesPathsApart) {
  const EntryPath path = EntryPath::parse("usr/lib/x");
  EXPECT_EQ(path.name(), "x");
  EXPECT_EQ(path.parent()->str(), "usr/lib");
  EXPECT_FALSE(EntryPath::parse("usr").parent());
  EXPECT_EQ(EntryPath::parse("usr").name(), "usr");
  EXPECT_EQ((path / "y/z").str(), "usr/lib/x/y/z");
  EXPECT_THROW(path / "../y", InputError);
}

TEST(EntryPath, SiblingWithTheSamePrefixIsNotUnderIt) {
  const EntryPath app = EntryPath::parse("app");
  EXPECT_TRUE(EntryPath::parse("app/x").is_under(app));
  EXPECT_FALSE(EntryPath::parse("app_config/x").is_under(app));
  EXPECT_FALSE(EntryPath::parse("app").is_under(app));
}

TEST(EntryPath, SortsByBytes) {
  EXPECT_LT(EntryPath::parse("a-b"), EntryPath::parse("a/b"));
  EXPECT_LT(EntryPath::parse("a"), EntryPath::parse("a-b"));
  EXPECT_LT(EntryPath::parse("z"), EntryPath::parse("\xc3\xa4"));
}

}  // namespace
}  // namespace img
