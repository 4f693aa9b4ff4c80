// SPDX-License-Identifier: Apache-2.0
// Text helpers, with the glob matcher against a plain recursive one.
#include "builder/base/text.h"

#include <gtest/gtest.h>

#include <random>

namespace img {
namespace {

TEST(Text, SplitKeepsEmptyPartsAndJoinUndoesIt) {
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(join(split("a,,b,", ','), ","), "a,,b,");
}

TEST(Text, Trims) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
}

TEST(Text, HexRoundTripsAndIsStrict) {
  const std::vector<std::uint8_t> bytes{0x00, 0x7f, 0xff};
  EXPECT_EQ(to_hex(bytes), "007fff");
  EXPECT_EQ(from_hex("007fff"), bytes);
  EXPECT_EQ(from_hex("007FFF"), std::nullopt);
  EXPECT_EQ(from_hex("007ff"), std::nullopt);
  EXPECT_EQ(from_hex("0g"), std::nullopt);
}

TEST(Text, Base64UrlRoundTripsAndHasOneSpelling) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(from_base64url(to_base64url(bytes)), bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 37));
  }
  EXPECT_EQ(to_base64url(std::vector<std::uint8_t>{0xfb, 0xff}), "-_8");
  EXPECT_EQ(from_base64url("-_9"), std::nullopt);   // left-over bits
  EXPECT_EQ(from_base64url("-_8="), std::nullopt);  // padding
  EXPECT_EQ(from_base64url("+/8"), std::nullopt);
  EXPECT_EQ(from_base64url("A"), std::nullopt);
}

TEST(Text, PrintableEscapesWhatMovesTheCursor) {
  EXPECT_EQ(printable("größe 漢 …"), "größe 漢 …");
  EXPECT_EQ(printable("a\x1b[1m\x7f\n"), "a\\x1b[1m\\x7f\\x0a");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");           // C1 control
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // right-to-left override
  EXPECT_EQ(printable("\xff ok \xc3"), "\\xff ok \\xc3");   // not UTF-8
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Text, Utf8IsStrict) {
  EXPECT_TRUE(is_valid_utf8("aä漢😀"));
  EXPECT_FALSE(is_valid_utf8("\xc0\x80"));          // overlong
  EXPECT_FALSE(is_valid_utf8("\xe0\x9f\xbf"));      // overlong
  EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  EXPECT_FALSE(is_valid_utf8("\xf0\x8f\xbf\xbf"));  // overlong
  EXPECT_FALSE(is_valid_utf8("\xe6\xbc"));          // cut
}

TEST(Text, WidthCountsColumns) {
  EXPECT_EQ(display_width("aä漢"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);
  EXPECT_EQ(fit_width("abcdef", 6), "abcdef");
  EXPECT_EQ(fit_width("abcdef", 4), "abc…");
  EXPECT_EQ(fit_width("漢漢漢", 4), "漢…");
  EXPECT_EQ(fit_width("abc", 0), "");
}

TEST(Text, WritesNumbersForPeople) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1234567), "1,234,567");
  EXPECT_EQ(with_commas(UINT64_MAX), "18,446,744,073,709,551,615");
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(999), "999 B");
  EXPECT_EQ(human_size(1000), "1.00 kB");
  EXPECT_EQ(human_size(9994), "9.99 kB");
  EXPECT_EQ(human_size(9995), "10.0 kB");
  EXPECT_EQ(human_size(99'949), "99.9 kB");
  EXPECT_EQ(human_size(99'950), "100 kB");
  EXPECT_EQ(human_size(999'499), "999 kB");
  EXPECT_EQ(human_size(999'500), "1.00 MB");
  EXPECT_EQ(human_size(888'063'640), "888 MB");
  EXPECT_EQ(human_size(3'920'000'000), "3.92 GB");
  EXPECT_EQ(human_size(UINT64_MAX), "18.4 EB");
}

TEST(Text, ParsesDecimalsStrictly) {
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_decimal("007"), 7u);
  for (const char* bad : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1", "1.0"}) {
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
  }
}

TEST(Text, ParsesSizes) {
  EXPECT_EQ(parse_size("123"), 123u);
  EXPECT_EQ(parse_size("12kB"), 12'000u);
  EXPECT_EQ(parse_size("600MB"), 600'000'000u);
  EXPECT_EQ(parse_size("4.5GB"), 4'500'000'000u);
  EXPECT_EQ(parse_size("7 GiB"), 7ull << 30);
  EXPECT_EQ(parse_size("1.5 KiB"), 1536u);
  for (const char* bad : {"", "GB", "1.5", "1.GB", ".5GB", "1,5GB", "1 XB", "1  GB", "-1GB",
                          "99999999999TB", "1.0001kB", "1 "}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Text, SuggestsOnlyNearMisses) {
  const std::vector<std::string> keys{"packages", "layers", "config", "cmd", "env"};
  EXPECT_EQ(did_you_mean("pakages", keys), "packages");
  EXPECT_EQ(did_you_mean("package", keys), "packages");
  EXPECT_EQ(did_you_mean("alyers", keys), "layers");  // swapped neighbours count once
  EXPECT_EQ(did_you_mean("Config", keys), "config");
  EXPECT_EQ(did_you_mean("cdm", keys), "cmd");
  EXPECT_EQ(did_you_mean("x", keys), std::nullopt);
  EXPECT_EQ(did_you_mean("volumes", keys), std::nullopt);
  EXPECT_EQ(did_you_mean("", keys), std::nullopt);
  EXPECT_EQ(did_you_mean(std::string(100'000, 'p'), keys), std::nullopt);
}

TEST(Text, SuggestsTheSameWhateverTheOrder) {
  EXPECT_EQ(did_you_mean("ab1", std::vector<std::string>{"ab3", "ab2"}), "ab2");
  EXPECT_EQ(did_you_mean("ab1", std::vector<std::string>{"ab2", "ab3"}), "ab2");
}

TEST(Text, Rfc3339RoundTripsAndIsStrict) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(1795565441), "2026-11-25T00:10:41Z");
  EXPECT_EQ(parse_rfc3339("2026-11-25T00:10:41Z"), 1795565441);
  EXPECT_EQ(parse_rfc3339("2026-11-25T00:10:41.123456Z"), 1795565441);
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59Z"), -1);
  EXPECT_EQ(parse_rfc3339("2024-02-29T00:00:00Z"), 1709164800);
  for (const char* bad :
       {"", "Z", "2026-11-25", "2026-11-25T00:10:41", "2026-11-25T00:10:41+00:00",
        "2026-11-25 00:10:41Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-11-25T24:00:00Z", "2026-11-25T23:60:00Z", "2026-11-25T23:59:60Z",
        "2026-11-25T00:10:41.Z", "2026-11-25T00:10:41.1xZ", "2026-11-25T00:10:4Z"}) {
    EXPECT_EQ(parse_rfc3339(bad), std::nullopt) << bad;
  }
}

TEST(Glob, MatchesWithinSegments) {
  EXPECT_TRUE(glob_match("*.py", "a.py"));
  EXPECT_FALSE(glob_match("*.py", "b/a.py"));
  EXPECT_TRUE(glob_match("a/*/c", "a/b/c"));
  EXPECT_FALSE(glob_match("a/*/c", "a/b/b/c"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("?ä?", "xäy"));
  EXPECT_TRUE(glob_match("?", "漢"));
  EXPECT_FALSE(glob_match("a?b", "a/b"));
}

TEST(Glob, DoubleStarCrossesSegments) {
  EXPECT_TRUE(glob_match("**/x", "x"));
  EXPECT_TRUE(glob_match("**/x", "a/b/x"));
  EXPECT_FALSE(glob_match("**/x", "a/bx"));
  EXPECT_TRUE(glob_match("a/**/x", "a/x"));
  EXPECT_TRUE(glob_match("a/**/x", "a/b/c/x"));
  EXPECT_FALSE(glob_match("a/**/x", "ax"));
  EXPECT_TRUE(glob_match("a/**", "a/b/c"));
  EXPECT_FALSE(glob_match("a/**", "a"));
  EXPECT_TRUE(glob_match("**", "a/b"));
  EXPECT_TRUE(glob_match("**.so", "a/b.so"));
  EXPECT_TRUE(glob_match("**/*.so.*", "lib/x/libfoo.so.1.2"));
  EXPECT_TRUE(glob_match("**/test/**/*.py", "a/test/test/b/c.py"));
}

TEST(Glob, SetsAndEscapes) {
  EXPECT_TRUE(glob_match("[a-c]x", "bx"));
  EXPECT_FALSE(glob_match("[!a-c]x", "bx"));
  EXPECT_TRUE(glob_match("[^a-c]x", "dx"));
  EXPECT_TRUE(glob_match("[^a]x", "äx"));
  EXPECT_FALSE(glob_match("a[!x]b", "a/b"));
  EXPECT_TRUE(glob_match("[]]", "]"));
  EXPECT_TRUE(glob_match("[a-]", "-"));
  EXPECT_TRUE(glob_match("[ab", "[ab"));
  EXPECT_TRUE(glob_match("\\*", "*"));
  EXPECT_FALSE(glob_match("\\*", "a"));
  EXPECT_TRUE(glob_match("a\\", "a\\"));
}

/// The definition, exponential but plain: `*`, `**` and `**/` only.
bool slow_match(std::string_view pattern, std::string_view path, bool at_segment = true) {
  if (pattern.empty()) return path.empty();
  if (at_segment && pattern.starts_with("**/")) {
    const std::string_view rest = pattern.substr(3);
    if (slow_match(rest, path, true)) return true;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] == '/' && slow_match(rest, path.substr(i + 1), true)) return true;
    }
    return false;
  }
  if (pattern.front() == '*') {
    const bool doubled = pattern.starts_with("**");
    const std::string_view rest = pattern.substr(doubled ? 2 : 1);
    for (std::size_t i = 0;; ++i) {
      if (slow_match(rest, path.substr(i), false)) return true;
      if (i == path.size() || (!doubled && path[i] == '/')) return false;
    }
  }
  return !path.empty() && path.front() == pattern.front() &&
         slow_match(pattern.substr(1), path.substr(1), pattern.front() == '/');
}

std::string random_text(std::mt19937& random, std::string_view alphabet, std::size_t longest) {
  std::string text(random() % (longest + 1), ' ');
  for (char& c : text) c = alphabet[random() % alphabet.size()];
  return text;
}

TEST(Glob, AgreesWithTheDefinitionOnRandomInput) {
  std::mt19937 random(7);
  int matches = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string pattern = random_text(random, "ab/***", 8);
    const std::string path = random_text(random, "ab/", 8);
    const bool expected = slow_match(pattern, path);
    matches += expected ? 1 : 0;
    ASSERT_EQ(glob_match(pattern, path), expected) << pattern << " on " << path;
  }
  EXPECT_GT(matches, 1000);
}

TEST(Glob, HostilePatternsEndSoon) {
  std::string pattern;
  for (int i = 0; i < 50; ++i) pattern += "*a**/";
  std::string path;
  for (int i = 0; i < 500; ++i) path += "aa/";
  EXPECT_FALSE(glob_match(pattern + "b", path));
}

}  // namespace
}  // namespace img
