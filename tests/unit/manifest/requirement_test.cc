// SPDX-License-Identifier: Apache-2.0
// Requirements: which are allowed, and how a requirements.txt is read.
#include "builder/manifest/requirement.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Requirement, MayBeANameWithVersionsExtrasAndMarkers) {
  for (const char* text :
       {"numpy", "numpy>=2", "torch == 2.8.0",
        "datasets[audio,vision]>=4 ; python_version < '3.13'", "zope.interface", "a_b~=1.0",
        "x (>=1)", "typing-extensions; sys_platform != 'win32'", "x!=1.*", "x===1.0+local"}) {
    EXPECT_EQ(problem_of_requirement(text), std::nullopt) << text;
  }
}

TEST(Requirement, MayNotBeAnAddressAFileOrAnOption) {
  for (const char* text : {"",
                           "-e .",
                           "--index-url x",
                           "./x.whl",
                           "../x",
                           "/x/y.whl",
                           "x.whl",
                           "x-1.0.tar.gz",
                           "x @ file:///y",
                           "x@https://u:p@h/y",
                           "git+https://h/x",
                           "https://h/x",
                           "x[a @ y",
                           "numpy 2",
                           "-",
                           "_x",
                           "x-",
                           ">=2",
                           "x\ny",
                           "@",
                           "[a]",
                           "x,y"}) {
    EXPECT_NE(problem_of_requirement(text), std::nullopt) << text;
  }
}

TEST(Requirement, LinesLoseCommentsAndJoinContinuations) {
  const auto lines = requirement_lines(
      "# head\n\nnumpy>=2   # why\ntorch \\\n  ==2.8.0 \\\n  --hash=sha256:ab\nx#y\n  a ; b "
      "\r\nlast \\");
  std::vector<std::string> texts;
  for (const RequirementLine& line : lines)
    texts.push_back(std::to_string(line.line) + " " + line.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"3 numpy>=2", "4 torch ==2.8.0 --hash=sha256:ab",
                                             "7 x#y", "8 a ; b", "9 last"}));
}

TEST(Requirement, TextMayHoldHashesOfOtherTools) {
  check_requirements_text("numpy==2.0 --hash=sha256:ab --hash=sha256:cd\n", "r.txt");
  try {
    check_requirements_text("numpy\nx @ https://h/y#egg=x\n", "r.txt");
    FAIL();
  } catch (const ManifestError& error) {
    EXPECT_EQ(error.render(),
              "error: r.txt:2:1: requirement 'x @ https://h/y#egg=x' names an address or a file\n"
              "    2 | x @ https://h/y#egg=x\n"
              "      | ^~~~~~~~~~~~~~~~~~~~~\n"
              "hint: write a name with a version; 'index' says where it comes from");
  }
}

}  // namespace
}  // namespace img
