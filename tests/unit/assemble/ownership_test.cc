// SPDX-License-Identifier: Apache-2.0
// Two wheels on one path: shared, decided or refused.
#include "builder/assemble/ownership.h"

#include "builder/base/error.h"
#include "tests/support/wheel_builder.h"

#include <gtest/gtest.h>

#include <deque>

namespace img {
namespace {

using img::testing::build_wheel;
using img::testing::WheelParts;

/// Wheels and the recipes that install them.
class Ownership : public ::testing::Test {
 protected:
  Recipe& recipe(const std::string& name, WheelsSpec spec = {}) {
    recipes_.push_back({.name = name, .spec = std::move(spec)});
    return recipes_.back();
  }

  void add(const WheelParts& parts, const Recipe& recipe) {
    const fs::path file = folder_.path() / parts.file_name();
    write_file(file, build_wheel(parts));
    wheels_.push_back(Wheel::open(InputFile::open(file), parts.file_name()));
    owned_.push_back({&wheels_.back(), &recipe});
  }

  YieldedPaths check() const {
    std::vector<const Recipe*> recipes;
    for (const Recipe& recipe : recipes_) recipes.push_back(&recipe);
    return check_ownership(owned_, recipes,
                           {.venv = EntryPath::parse("opt/venv"), .python_version = "3.11"});
  }

  template <typename Kind>
  std::string refusal() const {
    try {
      check();
    } catch (const Kind& error) {
      return error.render();
    }
    return "nothing was thrown";
  }

 private:
  TempDir folder_{fs::temp_directory_path(), "ownership-test-"};
  std::deque<Recipe> recipes_;
  std::deque<Wheel> wheels_;
  std::vector<OwnedWheel> owned_;
};

WheelParts wheel(const std::string& name, std::vector<img::testing::ZipEntry> files) {
  return {.distribution = name, .files = std::move(files)};
}

const std::string kClash =
    "error: two wheels bring different files under the same path\n"
    "  first:  one-1.0-py3-none-any.whl   (recipe app)\n"
    "  second: two-1.0-py3-none-any.whl   (recipe app)\n"
    "  paths:  ";

TEST_F(Ownership, SharesIdenticalBytes) {
  const Recipe& app = recipe("app");
  add(wheel("one", {{.name = "shared/__init__.py", .plain = "same"}}), app);
  add(wheel("two", {{.name = "shared/__init__.py", .plain = "same", .method = 0}}), app);
  EXPECT_TRUE(check().empty());
}

TEST_F(Ownership, NamesBothWheelsHowManyPathsAndOneOfThem) {
  const Recipe& app = recipe("app");
  add(wheel("one", {{.name = "shared/a.py", .plain = "1"}, {.name = "shared/b.py", .plain = "1"}}),
      app);
  add(wheel("two", {{.name = "shared/a.py", .plain = "2"}, {.name = "shared/b.py", .plain = "2"}}),
      app);
  EXPECT_EQ(refusal<InputError>(),
            kClash +
                "2   (for example 'shared/a.py')\n"
                "hint: say which one wins in the recipe: prefer: [{glob: \"shared/a.py\", "
                "winner: one, reason: …}]");
}

TEST_F(Ownership, LooksAtBytesThatRecordHasNoHashOf) {
  const Recipe& app = recipe("app");
  const auto unhashed = [](const std::string& name, const std::string& text) {
    WheelParts parts = wheel(name, {{.name = "shared.py", .plain = text}});
    parts.record = "shared.py,,\n" + parts.info() + "/METADATA,,\n" + parts.info() + "/WHEEL,,\n" +
                   parts.info() + "/RECORD,,\n";
    return parts;
  };
  add(unhashed("one", "same"), app);
  add(wheel("two", {{.name = "shared.py", .plain = "same"}}), app);
  EXPECT_TRUE(check().empty());
  add(unhashed("three", "other"), app);
  EXPECT_NE(refusal<InputError>().find("second: three-1.0-py3-none-any.whl"), std::string::npos);
}

TEST_F(Ownership, SeesPathsWhereTheyAreInstalled) {
  const Recipe& app = recipe("app");
  add(wheel("one", {{.name = "shared.py", .plain = "1"}}), app);
  add(wheel("two", {{.name = "two-1.0.data/platlib/shared.py", .plain = "2"}}), app);
  EXPECT_NE(refusal<InputError>().find("'shared.py'"), std::string::npos);
}

TEST_F(Ownership, HeadersOfDifferentDistributionsNeverMeet) {
  const Recipe& app = recipe("app");
  add(wheel("one", {{.name = "one-1.0.data/headers/x.h", .plain = "1"}}), app);
  add(wheel("two", {{.name = "two-1.0.data/headers/x.h", .plain = "2"}}), app);
  EXPECT_TRUE(check().empty());
}

TEST_F(Ownership, HeadersLieUnderTheNormalisedName) {
  const Recipe& app = recipe("app");
  add(wheel("Big_Name", {{.name = "Big_Name-1.0.data/headers/x.h", .plain = "1"}}), app);
  add(wheel("two",
            {{.name = "two-1.0.data/data/include/site/python3.11/big-name/x.h", .plain = "2"}}),
      app);
  EXPECT_NE(refusal<InputError>().find("'/include/site/python3.11/big-name/x.h'"),
            std::string::npos);
}

TEST_F(Ownership, ComparesGeneratedScripts) {
  const Recipe& app = recipe("app");
  const auto with_script = [](const std::string& name, const std::string& target) {
    WheelParts parts = wheel(name, {});
    parts.entry_points = "[console_scripts]\ntool = " + target + "\n";
    return parts;
  };
  add(with_script("one", "shared:main"), app);
  add(with_script("two", "shared:main"), app);
  EXPECT_TRUE(check().empty());
  add(with_script("three", "other:main"), app);
  EXPECT_NE(refusal<InputError>().find("'/bin/tool'"), std::string::npos);
}

TEST_F(Ownership, PreferLetsTheLoserLeaveItOut) {
  const Recipe& app =
      recipe("app", {.prefer = {{.glob = "shared/*", .winner = "two", .reason = "newer"}}});
  add(wheel("one", {{.name = "shared/[a].py", .plain = "1"}, {.name = "own.py", .plain = "1"}}),
      app);
  add(wheel("two", {{.name = "shared/[a].py", .plain = "2"}}), app);
  const YieldedPaths yielded = check();
  ASSERT_EQ(yielded.size(), 1u);
  const auto& rules = yielded.at("one-1.0-py3-none-any.whl");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_TRUE(glob_match(rules[0].glob, "shared/[a].py"));
  EXPECT_FALSE(glob_match(rules[0].glob, "shared/a.py"));
  EXPECT_EQ(rules[0].reason, "'two' brings it: newer");
}

TEST_F(Ownership, APreferredWheelThatDoesNotBringThePathDecidesNothing) {
  const Recipe& app =
      recipe("app", {.prefer = {{.glob = "shared.py", .winner = "three", .reason = "r"}}});
  add(wheel("one", {{.name = "shared.py", .plain = "1"}}), app);
  add(wheel("two", {{.name = "shared.py", .plain = "2"}}), app);
  EXPECT_TRUE(refusal<InputError>().starts_with(kClash)) << refusal<InputError>();
}

TEST_F(Ownership, RefusesAPreferRuleThatDecidesNothing) {
  const Recipe& app =
      recipe("app", {.prefer = {{.glob = "shared.py", .winner = "one", .reason = "r"}}});
  add(wheel("one", {{.name = "shared.py", .plain = "same"}}), app);
  add(wheel("two", {{.name = "shared.py", .plain = "same"}}), app);
  EXPECT_EQ(refusal<ManifestError>(),
            "error: prefer rule 'shared.py' of recipe 'app' decides nothing\n"
            "hint: remove the rule: no two wheels differ there");
}

TEST_F(Ownership, AFileThatItsRecipeDropsClaimsNothing) {
  const Recipe& below = recipe("below", {.drop = {{.glob = "shared.py", .reason = "r"}}});
  const Recipe& app = recipe("app");
  add(wheel("one", {{.name = "shared.py", .plain = "1"}}), below);
  add(wheel("two", {{.name = "shared.py", .plain = "2"}}), app);
  EXPECT_TRUE(check().empty());
}

TEST_F(Ownership, RefusesADropRuleThatMatchesNoFileOfItsOwnRecipe) {
  recipe("below", {.drop = {{.glob = "shared.py", .reason = "r"}}});
  const Recipe& app = recipe("app");
  add(wheel("two", {{.name = "shared.py", .plain = "2"}}), app);
  EXPECT_EQ(refusal<ManifestError>(),
            "error: drop rule 'shared.py' of recipe 'below' matches no file of its wheels\n"
            "hint: remove the rule, or correct the glob (paths are relative to site-packages)");
}

TEST_F(Ownership, DropRulesDoNotReachAWheelsOwnMetadata) {
  const Recipe& app = recipe("app", {.drop = {{.glob = "*.dist-info/*", .reason = "r"}}});
  add(wheel("one", {{.name = "one.py", .plain = "1"}}), app);
  EXPECT_NE(refusal<ManifestError>().find("matches no file"), std::string::npos);
}

}  // namespace
}  // namespace img
