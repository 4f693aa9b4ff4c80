// SPDX-License-Identifier: Apache-2.0
// Whole texts of rendered errors.
#include "builder/base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace img {
namespace {

TEST(Error, RendersMessageAlone) {
  EXPECT_EQ(UsageError("unknown command 'biuld'").render(), "error: unknown command 'biuld'");
}

TEST(Error, RendersPositionExcerptAndHint) {
  const ManifestError error(
      ErrorText{.message = "unknown key 'pakages' in layer 'python'",
                .position = Position{"manifests/x.yaml", 31, 5, "    pakages: [numpy]", 7},
                .hint = "did you mean 'packages'?"});
  EXPECT_EQ(error.render(),
            "error: manifests/x.yaml:31:5: unknown key 'pakages' in layer 'python'\n"
            "   31 |     pakages: [numpy]\n"
            "      |     ^~~~~~~\n"
            "hint: did you mean 'packages'?");
}

TEST(Error, AlignsDetailsAndListsFramesInnermostFirst) {
  IntegrityError error(ErrorText{"digest mismatch in 'a.whl'",
                                 {{"expected", "sha256:aa", "x.lock.json"}, {"got", "sha256:bb"}}});
  error.add_frame("reading wheel 'a.whl'");
  error.add_frame("writing layer 'torch'");
  EXPECT_EQ(error.render(),
            "error: digest mismatch in 'a.whl'\n"
            "  expected: sha256:aa   (x.lock.json)\n"
            "  got:      sha256:bb\n"
            "  while: reading wheel 'a.whl'\n"
            "  while: writing layer 'torch'");
}

TEST(Error, DetailWithoutLabelContinuesTheOneAbove) {
  const UnavailableError error(ErrorText{"program 'uv' failed", {{"stderr", "one"}, {"", "two"}}});
  EXPECT_EQ(error.render(),
            "error: program 'uv' failed\n"
            "  stderr: one\n"
            "          two");
}

TEST(Error, ShowsControlCharactersOfHostileNames) {
  InputError error(ErrorText{"bad name '\x1b[2J\n'", {{"got", "a\rb"}}});
  error.add_frame("reading '\x07'");
  EXPECT_EQ(error.render(),
            "error: bad name '\\x1b[2J\\x0a'\n"
            "  got: a\\x0db\n"
            "  while: reading '\\x07'");
}

TEST(Error, PlacesCaretByColumnsNotBytes) {
  const ManifestError error(
      ErrorText{.message = "bad", .position = Position{"f", 1, 8, "\t\"ä漢\": x", 3}});
  // Columns: tab 1, quote 1, ä 1 (2 bytes), 漢 2 (3 bytes), quote.
  EXPECT_EQ(error.render(),
            "error: f:1:8: bad\n"
            "    1 |  \"ä漢\": x\n"
            "      |      ^~~");
}

TEST(Error, CutsLongLinesAroundTheMark) {
  const std::string line = std::string(500, 'a') + "X" + std::string(500, 'b');
  const std::string text =
      InputError(ErrorText{.message = "bad", .position = Position{"f", 1, 501, line, 1}}).render();
  EXPECT_EQ(text, "error: f:1:501: bad\n    1 | …" + std::string(44, 'a') + "X" +
                      std::string(43, 'b') + "…\n      | " + std::string(45, ' ') + "^");
}

TEST(Error, SurvivesPositionsBeyondTheLine) {
  const InputError error(ErrorText{.message = "bad", .position = Position{"f", 2, 99, "ab", 50}});
  EXPECT_EQ(error.render(), "error: f:2:99: bad\n    2 | ab\n      |   ^");
  const InputError file_only(ErrorText{.message = "bad", .position = Position{.file = "f"}});
  EXPECT_EQ(file_only.render(), "error: f: bad");
}

TEST(Error, SystemErrorAppendsReason) {
  const SystemError error(ENOENT, "cannot open '/x'");
  EXPECT_EQ(error.render(), "error: cannot open '/x': No such file or directory");
  EXPECT_EQ(error.errno_value(), ENOENT);
  EXPECT_EQ(SystemError(99999, "cannot do").render(), "error: cannot do: error 99999");
}

TEST(Error, ClassesCarryTheirExitCodes) {
  EXPECT_EQ(UsageError("").exit_code(), ExitCode::usage);
  EXPECT_EQ(ManifestError("").exit_code(), ExitCode::usage);
  EXPECT_EQ(InputError("").exit_code(), ExitCode::usage);
  EXPECT_EQ(IntegrityError("").exit_code(), ExitCode::integrity);
  EXPECT_EQ(UnavailableError("").exit_code(), ExitCode::unavailable);
  EXPECT_EQ(NetworkError(ErrorText{}, true).exit_code(), ExitCode::unavailable);
  EXPECT_EQ(SystemError(EIO, "").exit_code(), ExitCode::unavailable);
  EXPECT_EQ(InternalError("").exit_code(), ExitCode::internal);
  EXPECT_EQ(InterruptedError(ExitCode::terminated).exit_code(), ExitCode::terminated);
}

TEST(Error, WithContextAddsFrameAndKeepsTheClass) {
  try {
    with_context("outer", [] { with_context("inner", [] { throw SystemError(EIO, "no"); }); });
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.frames(), (std::vector<std::string>{"inner", "outer"}));
  }
  EXPECT_EQ(with_context("frame", [] { return 7; }), 7);
}

}  // namespace
}  // namespace img
