// SPDX-License-Identifier: Apache-2.0
// Where paths lead when links are followed inside an image.
#include "tests/unit/image/image_world.h"

#include <gtest/gtest.h>

namespace img {
namespace {

ImageFacts facts_of(const std::map<std::string, std::string>& entries) {
  ImageFacts facts{.image = {.manifest_descriptor = {MediaType::manifest(), Digest::of(""), 0},
                             .manifest = {.config = {MediaType::config(), Digest::of(""), 0}}}};
  for (const auto& [path, what] : entries) {
    FileFact fact;
    fact.kind = what == "/"    ? FileKind::directory
                : what.empty() ? FileKind::file
                               : FileKind::symlink;
    if (fact.kind == FileKind::symlink) fact.target = what;
    facts.files.emplace(path, fact);
  }
  return facts;
}

std::string real_of(const ImageFacts& facts, const std::string& path) {
  std::string real;
  return facts.resolve(path, &real) == nullptr ? "nothing" : real;
}

TEST(Resolve, FollowsLinksInsideTheImage) {
  const ImageFacts facts = facts_of({{"/lib", "usr/lib"},
                                     {"/usr", "/"},
                                     {"/usr/lib", "/"},
                                     {"/usr/lib/libx.so", "libx.so.1"},
                                     {"/usr/lib/libx.so.1", ""},
                                     {"/opt", "/"},
                                     {"/opt/up", "../../../../lib/./libx.so"},
                                     {"/opt/abs", "/lib//libx.so"}});
  EXPECT_EQ(real_of(facts, "/lib/libx.so"), "/usr/lib/libx.so.1");
  EXPECT_EQ(real_of(facts, "/opt/up"), "/usr/lib/libx.so.1");
  EXPECT_EQ(real_of(facts, "/opt/abs"), "/usr/lib/libx.so.1");
  EXPECT_EQ(real_of(facts, "/opt/../lib/libx.so.1"), "/usr/lib/libx.so.1");
  EXPECT_EQ(real_of(facts, "/lib"), "/usr/lib");
  EXPECT_EQ(real_of(facts, "/lib/"), "/usr/lib");
}

TEST(Resolve, FindsNothingBehindCirclesFilesAndHoles) {
  const ImageFacts facts =
      facts_of({{"/a", "b"}, {"/b", "/a"}, {"/file", ""}, {"/dangling", "none"}});
  EXPECT_EQ(real_of(facts, "/a"), "nothing");
  EXPECT_EQ(real_of(facts, "/file/x"), "nothing");
  EXPECT_EQ(real_of(facts, "/file/.."), "nothing");
  EXPECT_EQ(real_of(facts, "/dangling"), "nothing");
  EXPECT_EQ(real_of(facts, "/none"), "nothing");
  EXPECT_EQ(real_of(facts, "/"), "nothing");  // the root has no fact
}

}  // namespace
}  // namespace img
