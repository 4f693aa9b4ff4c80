// SPDX-License-Identifier: Apache-2.0
// Requirements of a recipe: names, hashes, where they stand.
#include "builder/resolve/requirements.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace img {
namespace {

using test::error_of;
using testing::ElementsAre;

Recipe recipe_of(const std::string& requirements_text) {
  WheelsSpec spec;
  spec.requires_ = {"torch==2.8.0"};
  spec.requirements_file = "app/requirements.txt";
  spec.requirements_text = requirements_text;
  return {.name = "mine", .file = "layers/mine.yaml", .spec = spec};
}

TEST(Requirements, ComeFromTheRecipeAndFromItsFile) {
  const auto list = read_requirements(
      recipe_of("# mine\nTokenizers>=0.20 # fast\n\ndata_sets[audio]<4; python_version < '4'\n"));
  ASSERT_EQ(list.size(), 3u);
  EXPECT_EQ(list[0].name, "torch");
  EXPECT_EQ(list[0].origin, "layers/mine.yaml");
  EXPECT_EQ(list[1].name, "tokenizers");
  EXPECT_EQ(list[1].text, "Tokenizers>=0.20");
  EXPECT_EQ(list[1].origin, "app/requirements.txt:2");
  EXPECT_EQ(list[1].position.source_line, "Tokenizers>=0.20 # fast");
  EXPECT_EQ(list[2].name, "data-sets");
  EXPECT_EQ(list[2].layer, "mine");
}

TEST(Requirements, KeepHashesApartFromTheText) {
  const std::string a(64, 'a'), b(64, 'b');
  const auto list = read_requirements(
      recipe_of("numpy==2.4.6 \\\n    --hash=sha256:" + a + " \\\n    --hash=sha256:" + b + "\n"));
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[1].text, "numpy==2.4.6");
  EXPECT_THAT(list[1].hashes, ElementsAre(a, b));
}

TEST(Requirements, OtherOptionsAfterARequirementAreErrorsWithTheirPlace) {
  EXPECT_EQ(
      error_of<ManifestError>([] { read_requirements(recipe_of("\nnumpy --hash=md5:abc\n")); }),
      "error: app/requirements.txt:2:1: '--hash=md5:abc' is not allowed after a requirement\n"
      "    2 | numpy --hash=md5:abc\n"
      "      | ^~~~~~~~~~~~~~~~~~~~\n"
      "hint: only --hash=sha256: and 64 lower-case hex digits may follow it");
}

TEST(RequirementName, IsTheNormalisedStart) {
  EXPECT_EQ(requirement_name("Foo.Bar_baz[x]>=1"), "foo-bar-baz");
  EXPECT_EQ(requirement_name("foo (>=1)"), "foo");
  EXPECT_EQ(requirement_name("-foo"), "");
  EXPECT_EQ(requirement_name(""), "");
}

}  // namespace
}  // namespace img
