// SPDX-License-Identifier: Apache-2.0
// Layers over each other: what is seen, what is hidden, and where links lead entries.
#include "tests/unit/image/image_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using ::testing::ElementsAre;
using testing::file_block;
using testing::folder_block;
using testing::hard_link_block;
using testing::ImageWorld;
using ::testing::IsEmpty;
using testing::link_block;

std::vector<std::string> paths_of(const ImageFacts& facts) {
  std::vector<std::string> paths;
  for (const auto& [path, fact] : facts.files) paths.push_back(path);
  return paths;
}

std::vector<std::string> hidden_of(const ImageFacts& facts) {
  std::vector<std::string> lines;
  for (const HiddenFile& hidden : facts.hidden) {
    lines.push_back(hidden.path + " " + std::to_string(hidden.size) + " in " +
                    std::to_string(hidden.layer) + " by " + std::to_string(hidden.hidden_by) +
                    (hidden.same_content ? " same" : ""));
  }
  return lines;
}

TEST(MergedView, TellsEachPathWithItsLayer) {
  ImageWorld world;
  world.add({folder_block("etc"), file_block("etc/a", "one"), link_block("etc/l", "a")});
  world.add({file_block("etc/b", "one"),
             {.name = "etc/fifo", .type = '6'},
             {.name = "etc/null", .type = '3'}});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts),
              ElementsAre("/etc", "/etc/a", "/etc/b", "/etc/fifo", "/etc/l", "/etc/null"));
  EXPECT_EQ(facts.files.at("/etc").kind, FileKind::directory);
  EXPECT_EQ(facts.files.at("/etc").mode, 0755u);
  EXPECT_EQ(facts.files.at("/etc/a").size, 3u);
  EXPECT_EQ(facts.files.at("/etc/a").layer, 0);
  EXPECT_EQ(facts.files.at("/etc/b").layer, 1);
  EXPECT_EQ(facts.files.at("/etc/a").content_key, facts.files.at("/etc/b").content_key);
  EXPECT_EQ(facts.files.at("/etc/l").target, "a");
  EXPECT_EQ(facts.files.at("/etc/fifo").kind, FileKind::fifo);
  EXPECT_EQ(facts.files.at("/etc/null").kind, FileKind::device);
  EXPECT_THAT(hidden_of(facts), IsEmpty());
}

TEST(MergedView, UpperFilesHideLowerOnes) {
  ImageWorld world;
  world.add({file_block("a", "one"), file_block("b", "same"), file_block("empty", "")});
  world.add({file_block("a", "three"), file_block("b", "same"), file_block("empty", "x")});
  const ImageFacts facts = world.inspect();
  EXPECT_EQ(facts.files.at("/a").size, 5u);
  EXPECT_EQ(facts.files.at("/a").layer, 1);
  EXPECT_THAT(hidden_of(facts), ElementsAre("/a 3 in 0 by 1", "/b 4 in 0 by 1 same"));
}

TEST(MergedView, WhiteoutsTakeAwayLowerPathsOnly) {
  ImageWorld world;
  world.add({file_block("d/a", "lower"), file_block("d/sub/b", "lower"), file_block("e/c", "lower"),
             file_block("d-not", "kept")});
  world.add({file_block("d/a", "upper!"), file_block("d/.wh.a", ""), file_block(".wh.e", ""),
             file_block("d/.wh.sub", ""), file_block("d/.wh.nothing", "")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/d", "/d-not", "/d/a"));
  EXPECT_EQ(facts.files.at("/d/a").size, 6u);
  EXPECT_THAT(hidden_of(facts),
              ElementsAre("/d/a 5 in 0 by 1", "/e/c 5 in 0 by 1", "/d/sub/b 5 in 0 by 1"));
  EXPECT_THAT(facts.layers[1].problems,
              ElementsAre("error: '/d/a' has a whiteout in its own layer"));
}

TEST(MergedView, AFolderMayBeRemovedAndMadeAnewInOneLayer) {
  ImageWorld world;
  world.add({file_block("d/a", "lower")});
  world.add({file_block(".wh.d", ""), folder_block("d"), file_block("d/b", "upper")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/d", "/d/b"));
  EXPECT_THAT(facts.layers[1].problems, IsEmpty());
}

TEST(MergedView, OpaqueFoldersHideAllThatLowerLayersHaveThere) {
  ImageWorld world;
  world.add({folder_block("d"), file_block("d/a", "1"), file_block("d/sub/b", "22"),
             file_block("x", "3")});
  world.add({file_block("d/c", "4"), file_block("d/.wh..wh..opq", ""), file_block("d/sub/e", "5")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/d", "/d/c", "/d/sub", "/d/sub/e", "/x"));
  EXPECT_THAT(hidden_of(facts), ElementsAre("/d/a 1 in 0 by 1", "/d/sub/b 2 in 0 by 1"));
}

TEST(MergedView, AnotherKindReplacesAWholeFolder) {
  ImageWorld world;
  world.add({file_block("d/a", "1"), file_block("f", "2")});
  world.add({link_block("d", "/x"), file_block("f/below", "3")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/d", "/f", "/f/below"));
  EXPECT_EQ(facts.files.at("/f").kind, FileKind::directory);
  EXPECT_THAT(hidden_of(facts), ElementsAre("/d/a 1 in 0 by 1", "/f 1 in 0 by 1"));
  EXPECT_THAT(facts.layers[1].problems,
              ElementsAre("entries lie below '/f', which is no folder in layer 0"));
}

TEST(MergedView, FoldersKeepTheirChildrenAndTakeTheNewMode) {
  ImageWorld world;
  world.add({folder_block("d"), file_block("d/a", "1")});
  world.add({{.name = "d", .type = '5', .mode_field = "0001777"}});
  const ImageFacts facts = world.inspect();
  EXPECT_EQ(facts.files.at("/d").mode, 01777u);
  EXPECT_EQ(facts.files.at("/d").layer, 1);
  EXPECT_TRUE(facts.files.contains("/d/a"));
}

TEST(MergedView, HardLinksAreOneFile) {
  ImageWorld world;
  world.add({file_block("b", "data"), hard_link_block("a", "b"), hard_link_block("c", "a")});
  world.add({file_block(".wh.b", "")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/a", "/c"));
  EXPECT_EQ(facts.files.at("/a").hard_link_of, "");
  EXPECT_EQ(facts.files.at("/a").size, 4u);
  EXPECT_EQ(facts.files.at("/c").hard_link_of, "/a");
  EXPECT_EQ(facts.files.at("/c").content_key, facts.files.at("/a").content_key);
  EXPECT_THAT(hidden_of(facts), IsEmpty());
}

TEST(MergedView, HardLinksAreHiddenWithTheirLastName) {
  ImageWorld world;
  world.add({file_block("b", "data"), hard_link_block("a", "b")});
  world.add({file_block(".wh.b", "")});
  world.add({file_block("a", "data")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(hidden_of(facts), ElementsAre("/a 4 in 0 by 2 same"));
}

TEST(MergedView, TheFirstNameOfAFileIsTheOneItsBytesCameWith) {
  ImageWorld world;
  world.add({file_block("z", "data"), hard_link_block("a", "z")});
  EXPECT_EQ(world.inspect().files.at("/a").hard_link_of, "/z");
}

TEST(MergedView, EntriesBelowALowerLinkGoWhereItLeads) {
  ImageWorld world;
  world.add({folder_block("usr/lib"), file_block("usr/lib/a", "1"), link_block("lib", "usr/lib")});
  world.add({file_block("lib/a", "upper"), file_block("lib/.wh.none", ""),
             hard_link_block("lib/b", "lib/a")});
  world.add({file_block("lib/.wh.b", "")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/lib", "/usr", "/usr/lib", "/usr/lib/a"));
  EXPECT_EQ(facts.files.at("/usr/lib/a").size, 5u);
  EXPECT_EQ(facts.files.at("/lib").kind, FileKind::symlink);
  EXPECT_THAT(facts.layers[1].problems,
              ElementsAre("entries lie below '/lib', which is a symbolic link in layer 0: some "
                          "engines follow it, others put a folder in its place"));
  EXPECT_THAT(facts.layers[2].problems, IsEmpty());
}

TEST(MergedView, AFolderOfTheLayerReplacesALowerLink) {
  ImageWorld world;
  world.add({folder_block("usr/lib"), link_block("lib", "usr/lib")});
  world.add({folder_block("lib"), file_block("lib/a", "1")});
  const ImageFacts facts = world.inspect();
  EXPECT_THAT(paths_of(facts), ElementsAre("/lib", "/lib/a", "/usr", "/usr/lib"));
  EXPECT_THAT(facts.layers[1].problems, IsEmpty());
}

TEST(MergedView, FactsOfFilesFollowTheirNames) {
  ImageWorld world;
  world.add({file_block("etc/passwd", "root:x:0:0\n"), file_block("etc/group", "root:x:0:\n"),
             file_block("m.pyc", std::string("\xa7\x0d\x0d\x0a\3\0\0\0", 8) + std::string(8, 's')),
             file_block("bad.so",
                        "\x7f"
                        "ELFbroken"),
             hard_link_block("bad2.so", "bad.so")});
  world.add({file_block("etc/group", "wheel:x:10:\n"), hard_link_block("etc/copy", "etc/group")});
  const ImageFacts facts = world.inspect();
  EXPECT_EQ(facts.texts.at("/etc/passwd"), "root:x:0:0\n");
  EXPECT_EQ(facts.texts.at("/etc/group"), "wheel:x:10:\n");
  EXPECT_EQ(facts.bytecode.at("/m.pyc").magic, 0x0a0d0da7u);
  EXPECT_EQ(facts.bytecode.at("/m.pyc").flags, 3u);
  EXPECT_THAT(
      facts.elf_problems,
      ElementsAre(::testing::Pair(
          "/bad.so",
          "'/bad.so' is no readable ELF file: the identification lies outside of the file")));
}

TEST(MergedView, SecretsThatAreHiddenAreStillInTheImage) {
  ImageWorld world;
  world.add({file_block("root/.netrc", "machine x login y password hunter2\n"),
             file_block("root/.pypirc", "[pypi]\npassword = hunter2\n")});
  world.add({file_block("root/.wh..netrc", "")});
  EXPECT_THAT(
      world.inspect().secrets,
      ElementsAre("/root/.netrc: password in a netrc file (in layer 0, hidden by a later one)",
                  "/root/.pypirc: password for a package index"));
}

}  // namespace
}  // namespace img
