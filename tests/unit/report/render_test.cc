// SPDX-License-Identifier: Apache-2.0
// The forms for people and CI servers: order, limits, and nothing of an image that acts.
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "tests/unit/report/sample_report.h"
#include "validators/report/markup.h"
#include "validators/report/renderers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace img {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// As a content security policy writes digests.
std::string base64(const Sha256Value& digest) {
  std::string text = to_base64url(digest);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  return text + std::string((4 - text.size() % 4) % 4, '=');
}

TEST(ReportFormat, HasOneNameEach) {
  for (const std::string& name : report_format_names()) {
    EXPECT_TRUE(parse_report_format(name)) << name;
  }
  EXPECT_EQ(parse_report_format("xml"), std::nullopt);
}

TEST(TextForm, PutsFailuresFirstAndEndsWithTheCounts) {
  EXPECT_EQ(render(sample_report(), ReportFormat::text),
            "image    pytorch-cuda:2.8.0\n"
            "from     out/pytorch\n"
            "digest   sha256:" +
                std::string(64, '1') +
                "\n"
                "size     3.40 GB packed, 7.01 GB unpacked, 2 layers\n"
                "manifest pytorch-cuda:2.8.0\n"
                "tiers    static, container (runc 1.1.5)\n"
                "\n"
                "FAIL     IMG-SIZE      the image is larger than the manifest allows\n"
                "           expected: at most 3.00 GB   (checks.size.compressed of the manifest)\n"
                "           got:      3.40 GB\n"
                "           mend:     'imgbuild show' says what costs bytes and what could be "
                "dropped; or raise the\n"
                "                     limit on purpose\n"
                "BLOCKED  LOAD-TORCH    the probe was killed after 60 s\n"
                "WARN     IMG-LEFTOVER  1 file of the logs, 12 B\n"
                "         - '/var/log/dpkg.log' is a log\n"
                "           layer:    sha256:" +
                std::string(64, '2') +
                "\n"
                "WAIVED   IMG-WASTE     20 MB are hidden; waived until 2027-01-31: until the base "
                "is rebuilt\n"
                "SKIPPED  ARCH-LIST     the manifest names no GPUs\n"
                "PASS     IMG-DIGEST    14 blobs are what their digests say (and 1 more)\n"
                "PASS     DRV-STATE     no driver, as expected [simulated: satisfies no gate]\n"
                "\n"
                "note: containers are not limited by a control group here\n"
                "7 checks: 1 fail, 1 blocked, 1 warn, 1 waived, 1 skipped, 2 pass (12.3 s)\n");
}

TEST(TextForm, FitsANarrowTerminal) {
  const std::string text = render(sample_report(), ReportFormat::text, {.width = 60});
  for (const std::string& line : split(text, '\n')) {
    const bool may_be_wide =
        line.find("sha256:") != std::string::npos || line.find("(checks.size") != std::string::npos;
    if (!may_be_wide) {
      EXPECT_LE(display_width(line), 60u) << line;
    }
  }
}

TEST(TextForm, ColoursOnlyOnRequest) {
  EXPECT_THAT(render(sample_report(), ReportFormat::text), Not(HasSubstr("\x1b")));
  EXPECT_THAT(render(sample_report(), ReportFormat::text, {.color = true}),
              HasSubstr("\x1b[1;31mFAIL     \x1b[0mIMG-SIZE"));
}

TEST(TextForm, ShowsNoControlCharacterOfAnImage) {
  const std::string text = render(hostile_report(), ReportFormat::text);
  for (const char c : text) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_TRUE(is_valid_utf8(text));
  for (const std::string& line : split(text, '\n')) EXPECT_THAT(line, Not(StartsWith("::")));
}

TEST(MarkdownForm, StaysBelowTheLimitAndSaysSo) {
  const std::string text = render(big_report(5000, 20), ReportFormat::markdown);
  EXPECT_LE(text.size(), kMarkdownLimit);
  EXPECT_GT(text.size(), kMarkdownLimit * 9 / 10);
  EXPECT_THAT(text, HasSubstr("more results are left out: a summary may hold 1 MiB"));
  EXPECT_THAT(text, HasSubstr("5000 checks"));
}

TEST(MarkdownForm, HoldsNothingOfAnImageThatIsMarkup) {
  const std::string text = render(hostile_report(), ReportFormat::markdown);
  EXPECT_THAT(text, Not(HasSubstr("\n# heading")));
  EXPECT_THAT(text, Not(HasSubstr("\n::error")));
  // Everything of the hostile text stands in code spans with a fence that it does not hold.
  for (const std::string& line : split(text, '\n')) {
    const std::size_t at = line.find("<script>");
    if (at == std::string::npos) continue;
    const std::size_t fence = line.find("````");
    EXPECT_LT(fence, at) << line;
    EXPECT_NE(line.find("````", at), std::string::npos) << line;
  }
}

TEST(MarkdownText, EscapesMarkupAndQuotesWhatWouldBeLinked) {
  EXPECT_EQ(markdown_text("a *b* [c](d) <e> |f| `g`"),
            "a \\*b\\* \\[c\\]\\(d\\) \\<e\\> \\|f\\| \\`g\\`");
  EXPECT_EQ(markdown_text("see https://example.com"), "`see https://example.com`");
  EXPECT_EQ(markdown_text("@all"), "`@all`");
  EXPECT_EQ(markdown_text("closes #12"), "`closes #12`");
  EXPECT_EQ(markdown_code("a``b`"), "``` a``b` ```");
  EXPECT_EQ(markdown_code("a|b\nc"), "`a\\|b c`");
}

TEST(GithubForm, AnnotatesTenOfATypeAtMost) {
  const std::string text = render(big_report(25, 1), ReportFormat::github);
  EXPECT_EQ(count_of(text, "::error title="), 10u);
  EXPECT_THAT(text, HasSubstr("::error title=imgcheck::16 more; the JSON report has all\n"));
}

TEST(GithubForm, EscapesDataAndProperties) {
  Report report = sample_report();
  report.checks = {failed_size()};
  report.checks.front().reason = "50% of\nit: a, b";
  EXPECT_THAT(render(report, ReportFormat::github),
              StartsWith("::error title=IMG-SIZE%3A the image is no bigger than the manifest "
                         "allows::50%25 of it: a, b%0Athe image is larger than the manifest "
                         "allows%0A  expected: at most 3.00 GB%0A  got: 3.40 GB\n"));
}

TEST(GithubForm, LetsNoTextOfAnImageBecomeACommand) {
  const std::string text = render(hostile_report(), ReportFormat::github);
  std::size_t commands = 0;
  for (const std::string& line : split(text, '\n')) {
    EXPECT_THAT(line, Not(HasSubstr("##[")));
    if (trim(line).starts_with("::")) ++commands;
  }
  // fail, blocked; warn; waived; group, endgroup
  EXPECT_EQ(commands, 6u);
}

TEST(JunitForm, TellsBlockedAsErrorAndWaivedAsSkipped) {
  const std::string text = render(sample_report(), ReportFormat::junit);
  EXPECT_THAT(text, HasSubstr("tests=\"7\" failures=\"1\" errors=\"1\" skipped=\"2\""));
  EXPECT_THAT(text,
              HasSubstr("<error type=\"blocked\" message=\"the probe was killed after 60 s\">"));
  EXPECT_THAT(text, HasSubstr("<property name=\"waiver.expiry\" value=\"2027-01-31\"/>"));
  EXPECT_THAT(text, HasSubstr("<testsuite name=\"imgcheck.container\" tests=\"2\""));
}

TEST(XmlText, ReplacesWhatXmlForbids) {
  EXPECT_EQ(escape_xml("a<b>&\"'\x01\xEF\xBF\xBE\xC3\xA9"),
            "a&lt;b&gt;&amp;&quot;&#39;\xEF\xBF\xBD\xEF\xBF\xBD\xC3\xA9");
}

TEST(SarifForm, HoldsAsManyResultsAsAreShown) {
  const Json sarif = Json::parse(render(big_report(60, 100), ReportFormat::sarif));
  const Json& run = sarif.at("runs").at(0);
  EXPECT_EQ(run.at("results").size(), kSarifLimit);
  EXPECT_EQ(run.at("invocations").at(0).at("toolExecutionNotifications").at(0).at("message"),
            Json({{"text", "1000 more results are left out; the JSON report has all"}}));
}

TEST(SarifForm, TellsWhatCouldNotRun) {
  const Json sarif = Json::parse(render(sample_report(), ReportFormat::sarif));
  const Json& invocation = sarif.at("runs").at(0).at("invocations").at(0);
  EXPECT_EQ(invocation.at("executionSuccessful"), false);
  EXPECT_EQ(invocation.at("toolExecutionNotifications").at(0).at("message").at("text"),
            "LOAD-TORCH could not run: the probe was killed after 60 s");
}

TEST(SarifForm, GivesOneFindingOfTwoRunsOneFingerprint) {
  const auto fingerprints = [](const Report& report) {
    std::vector<std::string> all;
    const Json sarif = Json::parse(render(report, ReportFormat::sarif));
    for (const Json& result : sarif.at("runs").at(0).at("results")) {
      all.push_back(result.at("partialFingerprints").at("imgcheckFinding/v1"));
    }
    return all;
  };
  Report later = sample_report();
  later.started = "2026-12-01T00:00:00Z";
  later.seconds = 1;
  EXPECT_EQ(fingerprints(later), fingerprints(sample_report()));
  EXPECT_EQ(fingerprints(later).size(), 3u);
}

TEST(HtmlForm, AllowsNothingButItsOwnStyle) {
  EXPECT_EQ(html_style_hash(), "sha256-" + base64(sha256(html_style())));
  const std::string page = render(sample_report(), ReportFormat::html);
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr(" style=")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
}

TEST(HtmlForm, PutsFailuresFirstAndOpen) {
  const std::string page = render(sample_report(), ReportFormat::html);
  EXPECT_LT(page.find("id=\"IMG-SIZE\""), page.find("id=\"LOAD-TORCH\""));
  EXPECT_LT(page.find("id=\"LOAD-TORCH\""), page.find("id=\"IMG-DIGEST\""));
  EXPECT_EQ(count_of(page, "<details class=\"check\" open>"), 2u);
  EXPECT_EQ(count_of(page, "<details class=\"check\">"), 5u);
}

TEST(HtmlForm, EscapesWhateverAnImageWrote) {
  const std::string page = render(hostile_report(), ReportFormat::html);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_EQ(count_of(page, "<details"), count_of(page, "</details>"));
}

}  // namespace
}  // namespace img
