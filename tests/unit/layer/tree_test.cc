// SPDX-License-Identifier: Apache-2.0
// Tree: merging, conflicts, whiteouts and the invariants of seal().
#include "builder/layer/tree.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

EntryPath path(std::string_view text) { return EntryPath::parse(text); }

Entry file(std::string bytes, std::string origin = "one.whl", std::uint32_t mode = 0644) {
  return Entry::file(literal(std::move(bytes)), mode, std::move(origin));
}

template <typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.render();
  }
  return "no error";
}

std::string seal_error(Tree& tree) {
  return error_of([&] { tree.seal("parents"); });
}

TEST(Tree, KeepsEntriesInByteOrder) {
  Tree tree;
  for (const char* text : {"b", "a/b", "a-b", "a"}) {
    tree.put(path(text), std::string_view(text) == "a" ? Entry::directory(0755, "x") : file(""));
  }
  std::string order;
  for (const auto& [where, entry] : tree.entries()) order += where.str() + " ";
  EXPECT_EQ(order, "a a-b a/b b ");
}

TEST(Tree, SealAddsMissingParents) {
  Tree tree;
  tree.add(path("a/b/c"), file("x"));
  tree.seal("recipe");
  ASSERT_NE(tree.find(path("a")), nullptr);
  EXPECT_EQ(tree.find(path("a"))->mode, 0755u);
  EXPECT_EQ(tree.find(path("a/b"))->origin, "recipe");
  EXPECT_EQ(tree.entries().size(), 3u);
}

TEST(Tree, DirectoriesMergeAndTheFirstModeWins) {
  Tree tree;
  tree.add(path("d"), Entry::directory(0700, "one"));
  tree.add(path("d"), Entry::directory(0755, "two"));
  EXPECT_EQ(tree.find(path("d"))->mode, 0700u);
}

TEST(Tree, EqualFilesAreShared) {
  Tree tree;
  tree.add(path("f"), file("same", "one"));
  tree.add(path("f"), file("same", "two"));
  EXPECT_EQ(tree.find(path("f"))->origin, "one");
}

TEST(Tree, DifferentBytesNameBothOrigins) {
  Tree tree;
  tree.add(path("f"), file("one", "one.whl"));
  EXPECT_EQ(error_of([&] { tree.add(path("f"), file("two!", "two.whl")); }),
            "error: 'f' comes from two sources that differ in bytes\n"
            "  first:  3 bytes   (one.whl)\n"
            "  second: 4 bytes   (two.whl)");
  EXPECT_NE(error_of([&] { tree.add(path("f"), file("two", "two.whl")); }), "no error");
}

TEST(Tree, EveryOtherDifferenceIsAConflict) {
  const auto conflict = [](Entry first, Entry second) {
    Tree tree;
    tree.add(path("f"), std::move(first));
    const std::string text = error_of([&] { tree.add(path("f"), std::move(second)); });
    return text.substr(0, text.find('\n'));
  };
  const std::string start = "error: 'f' comes from two sources that differ in ";
  EXPECT_EQ(conflict(file(""), file("", "x", 0755)), start + "mode");
  EXPECT_EQ(conflict(file(""), Entry::directory(0755, "x")), start + "type");
  EXPECT_EQ(conflict(Entry::symlink("a", "x"), Entry::symlink("b", "x")), start + "target");
  Entry owned = file("");
  owned.uid = 5;
  EXPECT_EQ(conflict(file(""), owned), start + "owner");
  Entry noted = file("");
  noted.xattrs["user.a"] = "b";
  EXPECT_EQ(conflict(file(""), noted), start + "extended attributes");
}

TEST(Tree, PutReplaces) {
  Tree tree;
  tree.add(path("f"), file("one"));
  tree.put(path("f"), file("two"));
  EXPECT_EQ(read_content(tree.find(path("f"))->content), "two");
  tree.remove(path("f"));
  EXPECT_TRUE(tree.empty());
}

TEST(Tree, WhiteoutNamesAreRefusedUnlessMeant) {
  Tree tree;
  EXPECT_EQ(error_of([&] { tree.add(path("a/.wh.b"), file("", "x.deb")); }),
            "error: 'a/.wh.b' cannot be in a layer: names that begin with '.wh.' remove files\n"
            "  from: x.deb");
  EXPECT_THROW(tree.put(path(".wh.d/e"), file("")), InputError);
  tree.add_whiteout(path("usr/share/doc"));
  tree.add_whiteout(path("top"));
  EXPECT_NE(tree.find(path("usr/share/.wh.doc")), nullptr);
  EXPECT_NE(tree.find(path(".wh.top")), nullptr);
}

TEST(Tree, NothingLiesBelowAFile) {
  Tree tree;
  tree.add(path("a"), Entry::symlink("/outside", "evil.whl"));
  tree.add(path("a/b"), file("x"));
  EXPECT_EQ(seal_error(tree),
            "error: 'a/b' lies under 'a', which is no directory but a symlink\n"
            "  from: one.whl");
}

TEST(Tree, HardLinksNeedAnEarlierFile) {
  const auto sealed = [](std::string_view where, std::string target) {
    Tree tree;
    tree.add(path("m"), file("x"));
    tree.add(path("d"), Entry::directory(0755, "x"));
    tree.add(path(where), Entry{.type = EntryType::hardlink, .link = std::move(target)});
    return seal_error(tree);
  };
  EXPECT_EQ(sealed("n", "m"), "no error");
  const std::string rule = "', which is no earlier regular file of its layer";
  EXPECT_EQ(sealed("a", "m"), "error: 'a' is a hard link to 'm" + rule);
  EXPECT_EQ(sealed("n", "d"), "error: 'n' is a hard link to 'd" + rule);
  EXPECT_EQ(sealed("n", "n"), "error: 'n' is a hard link to 'n" + rule);
  EXPECT_EQ(sealed("n", "gone"), "error: 'n' is a hard link to 'gone" + rule);
  EXPECT_EQ(sealed("n", "../m"), "error: '../m' is no entry path: it has the segment '..'");
}

TEST(Tree, SealRefusesWhatATarCannotHold) {
  const auto sealed = [](Entry entry) {
    Tree tree;
    tree.add(path("f"), std::move(entry));
    return seal_error(tree);
  };
  EXPECT_EQ(sealed(Entry{.mode = 0100644}), "error: 'f' has more than permission bits as mode");
  EXPECT_EQ(sealed(Entry::symlink("", "")), "error: 'f' is a link without a target");
  EXPECT_EQ(sealed(Entry::symlink(std::string("a\0b", 3), "")),
            "error: 'f' has a NUL in its link target");
  EXPECT_EQ(sealed(Entry::symlink(std::string(4097, 'x'), "")),
            "error: 'f' has a link target of more than 4096 bytes");
  EXPECT_EQ(sealed(Entry{.type = EntryType::block_device, .device_major = 010000000}),
            "error: 'f' has a device number that a tar cannot hold");
  Entry noted = file("");
  noted.origin.clear();
  noted.xattrs["a=b"] = "c";
  EXPECT_EQ(sealed(noted), "error: 'f' has an extended attribute whose name a tar cannot hold");
}

TEST(Tree, CountsTheBytesOfItsFiles) {
  Tree tree;
  tree.add(path("a"), file("123"));
  tree.add(path("b"), file("4567"));
  EXPECT_EQ(tree.content_bytes(), 7u);
}

}  // namespace
}  // namespace img
