// SPDX-License-Identifier: Apache-2.0
// How uv is asked, and what is made of its answers; a script plays uv.
#include "builder/resolve/uv.h"

#include "tests/unit/resolve/errors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace img {
namespace {

using test::error_of;
using testing::HasSubstr;
using testing::Not;

Requirement requirement(const std::string& text, const std::string& layer = "mine") {
  return {.text = text,
          .name = requirement_name(text),
          .hashes = {},
          .layer = layer,
          .origin = "requirements.txt:3",
          .position = {.file = "requirements.txt", .line = 3, .column = 1}};
}

UvProblem problem_of(std::vector<Requirement> requirements) {
  UvProblem problem;
  problem.requirements = std::move(requirements);
  problem.default_address = "http://index.test/simple";
  problem.python_version = "3.11.2";
  problem.glibc_minor = 36;
  return problem;
}

/// A program "uv" made of shell lines, which the environment names.
class FakeUv : public testing::Test {
 protected:
  void SetUp() override {
    setenv("IMGBUILD_UV", (folder_.path() / "uv").c_str(), 1);
    setenv("UV_INDEX_URL", "http://evil.test/", 1);
    setenv("PIP_INDEX_URL", "http://evil.test/", 1);
    setenv("https_proxy", "http://proxy.test:3128", 1);
  }
  void TearDown() override {
    for (const char* name : {"IMGBUILD_UV", "UV_INDEX_URL", "PIP_INDEX_URL", "https_proxy"}) {
      unsetenv(name);
    }
  }
  std::string run(const std::string& lines, const UvProblem& problem) {
    write_file(folder_.path() / "uv", "#!/bin/sh\n" + lines, 0755);
    return run_uv(problem, folder_.path() / "cache", folder_.path() / "work");
  }
  TempDir folder_{fs::temp_directory_path(), "uv-test-"};
};

TEST_F(FakeUv, SeesACleanEnvironment) {
  create_folders(folder_.path() / "work");
  const std::string env = run("env\n", problem_of({}));
  EXPECT_THAT(env, Not(HasSubstr("evil.test")));
  EXPECT_THAT(env, HasSubstr("https_proxy=http://proxy.test:3128\n"));
  EXPECT_THAT(env, HasSubstr("HOME=" + (folder_.path() / "work/home").string() + "\n"));
  EXPECT_THAT(env, HasSubstr("UV_CACHE_DIR=" + (folder_.path() / "cache").string() + "\n"));
}

TEST_F(FakeUv, IsAskedForTheImagesPythonAndGlibcAndNothingOfTheMachine) {
  create_folders(folder_.path() / "work");
  EXPECT_EQ(
      run("echo \"$@\"\n", problem_of({})),
      "pip compile --no-config --format pylock.toml --python-version 3.11.2 --python-platform "
      "x86_64-manylinux_2_36 --only-binary :all: --generate-hashes --no-header "
      "--no-python-downloads --no-progress --color never --default-index "
      "http://index.test/simple --constraints constraints.txt pyproject.toml\n");
}

TEST_F(FakeUv, GetsRequirementsConstraintsAndBindingsAsFiles) {
  create_folders(folder_.path() / "work");
  UvProblem problem = problem_of({requirement("torch==2.8.0"), requirement("x; a == \"b\\c\"")});
  problem.constraints = {"numpy==2.4.6", "pip==26.3"};
  problem.bound = {{"torch", "wheels-cu126"}};
  problem.addresses = {{"wheels-cu126", "http://cu126.test/simple"}};
  EXPECT_EQ(
      run("cat pyproject.toml; echo ==; cat constraints.txt\n", problem),
      "[project]\nname = \"imgbuild-closure\"\nversion = \"0\"\nrequires-python = \">=3.11.2\"\n"
      "dependencies = [\n  \"torch==2.8.0\",\n  \"x; a == \\\"b\\\\c\\\"\",\n]\n"
      "\n[[tool.uv.index]]\nname = \"wheels-cu126\"\nurl = \"http://cu126.test/simple\"\n"
      "explicit = true\n"
      "\n[tool.uv.sources]\n\"torch\" = { index = \"wheels-cu126\" }\n"
      "==\nnumpy==2.4.6\npip==26.3\n");
}

TEST_F(FakeUv, AFailureIsReported) {
  create_folders(folder_.path() / "work");
  EXPECT_EQ(error_of<UnavailableError>([&] {
              run("echo 'error: Failed to fetch: `http://me:secret@index.test/simple/x/`' >&2\n"
                  "echo '  cause: timed out' >&2\nexit 2\n",
                  problem_of({}));
            }),
            "error: cannot solve the wheels of this image\n"
            "  uv: Failed to fetch: `http://index.test/simple/x/`\n"
            "      timed out\n"
            "hint: check that the package index can be reached");
}

TEST(FindUv, AMissingOneSaysHowToInstallIt) {
  setenv("IMGBUILD_UV", "/nonexistent/uv", 1);
  EXPECT_EQ(error_of<UnavailableError>([] { find_uv(); }),
            "error: cannot find program '/nonexistent/uv', which IMGBUILD_UV names");
  unsetenv("IMGBUILD_UV");
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  unsetenv("IMGBUILD_TOOLS");
  EXPECT_EQ(
      error_of<UnavailableError>([] { find_uv(); }),
      "error: cannot find program 'uv', which solves wheels\n"
      "hint: install it: run ci/setup, or 'pip install uv' into an environment of its own and "
      "set IMGBUILD_UV to its path");
  TempDir tools(fs::temp_directory_path(), "uv-test-");
  create_folders(tools.path() / "bin");
  write_file(tools.path() / "bin/uv", "", 0755);
  setenv("IMGBUILD_TOOLS", tools.path().c_str(), 1);
  EXPECT_EQ(find_uv(), tools.path() / "bin/uv");
  unsetenv("IMGBUILD_TOOLS");
  setenv("PATH", path.c_str(), 1);
}

TEST(UvPlatform, IsTheNewestKnownThatRuns) {
  EXPECT_EQ(uv_platform(36, "x86_64"), "x86_64-manylinux_2_36");
  EXPECT_EQ(uv_platform(43, "x86_64"), "x86_64-manylinux_2_40");
  EXPECT_EQ(uv_platform(30, "x86_64"), "x86_64-manylinux_2_28");
  EXPECT_EQ(error_of<ManifestError>([] { uv_platform(12, "x86_64"); }),
            "error: glibc 2.12 is older than any that wheels are solved for (2.17)");
}

TEST(UvFailure, NoSolutionPassesOnTheReasonsAndSaysWhoAsked) {
  const std::string standard_error =
      "error: No solution found when resolving dependencies\n"
      "  cause: Because there is no version of numpy==99 and imgbuild-closure depends on "
      "numpy==99, we "
      "can conclude that your requirements are unsatisfiable.\n";
  UvProblem problem = problem_of({requirement("num"), requirement("numpy==99")});
  EXPECT_EQ(
      error_of<ManifestError>([&] { report_uv_failure(problem, standard_error); }),
      "error: requirements.txt:3:1: no set of wheels satisfies all requirements of this image\n"
      "  uv:       Because there is no version of numpy==99 and you require numpy==99, we can "
      "conclude that your requirements are unsatisfiable.\n"
      "  required: numpy==99 by recipe 'mine'   (requirements.txt:3)");
  problem.constraints = {"numpy==1"};
  EXPECT_TRUE(error_of<ManifestError>([&] { report_uv_failure(problem, standard_error); })
                  .ends_with("hint: more names than the given ones may have to move: add them by "
                             "--update, or lock anew without it"));
}

TEST(UvFailure, ASourceOnlyRequirementNamesItWhoNeedsItAndWhatToDo) {
  const std::string standard_error =
      "error: No solution found when resolving dependencies\n"
      "  cause: Because sgmllib3k==1.0.0 has no usable wheels and only sgmllib3k==1.0.0 is "
      "available, we "
      "can conclude that all versions of sgmllib3k cannot be used.\n"
      "         And because feedparser==6.0.11 depends on sgmllib3k and you require "
      "feedparser==6.0.11, "
      "we can conclude that your requirements are unsatisfiable.\n\n"
      "hint: Wheels are required for `sgmllib3k` because building from source is disabled for all "
      "packages (i.e., with `--no-build`)\n";
  EXPECT_EQ(error_of<ManifestError>([&] {
              report_uv_failure(problem_of({requirement("feedparser==6.0.11")}), standard_error);
            }),
            "error: requirements.txt:3:1: 'sgmllib3k' has no wheel, only source archives\n"
            "  needed by: feedparser==6.0.11\n"
            "  needed by: recipe 'mine': feedparser==6.0.11   (requirements.txt:3)\n"
            "hint: choose a version or another package that has a wheel, or build it ('pip wheel "
            "sgmllib3k') and serve it from an index of your own, named by `index:`");
  EXPECT_EQ(error_of<ManifestError>([&] {
              report_uv_failure(problem_of({requirement("sgmllib3k")}),
                                "hint: Wheels are required for `sgmllib3k` because\n");
            }),
            "error: requirements.txt:3:1: 'sgmllib3k' has no wheel, only source archives\n"
            "  needed by: recipe 'mine': sgmllib3k   (requirements.txt:3)\n"
            "hint: choose a version or another package that has a wheel, or build it ('pip wheel "
            "sgmllib3k') and serve it from an index of your own, named by `index:`");
}

}  // namespace
}  // namespace img
