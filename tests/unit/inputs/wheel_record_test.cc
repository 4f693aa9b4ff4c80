// SPDX-License-Identifier: Apache-2.0
// RECORD rows, read and written.
#include "tests/unit/inputs/inputs_world.h"

#include <gtest/gtest.h>

namespace img::testing {
namespace {

std::string error(const std::string& text) {
  return refusal([&] { parse_record(text, "x.whl"); });
}

TEST(WheelRecord, ReadsQuotesLineEndingsAndBlankLines) {
  const auto rows = parse_record(
      "\xef\xbb\xbf./a.py," + sha256_cell("x") + "=,1\r\n\r\n" + "\"b,\"\"c\"\".txt\",,\nd,,7",
      "x.whl");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].path, "a.py");
  EXPECT_EQ(rows[0].sha256, sha256("x"));
  EXPECT_EQ(rows[0].size, 1u);
  EXPECT_EQ(rows[1].path, "b,\"c\".txt");
  EXPECT_FALSE(rows[1].sha256 || rows[1].size);
  EXPECT_EQ(rows[2].size, 7u);
}

TEST(WheelRecord, KeepsStrongerHashesAndPassesOverEqualRows) {
  const std::string row = "a,sha512=" + std::string(86, 'A') + ",1\n";
  const auto rows = parse_record(row + row, "x.whl");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].strong_hash, "sha512=" + std::string(86, 'A'));
  EXPECT_EQ(format_record(rows), row);
}

TEST(WheelRecord, WritesWhatItReads) {
  const std::string text = record_line("a.py", "x") + "\"b,\"\"c\"\".txt\",,\n\"d\ne\",,3\n";
  EXPECT_EQ(format_record(parse_record(text, "x.whl")), text);
}

TEST(WheelRecord, RefusesMalformedRows) {
  EXPECT_EQ(error("a,md5=1B2M2Y8AsgTpgAmY7PhCfg,0\n"),
            "error: 'x.whl': RECORD line 1 uses 'md5'; the wheel format allows sha256, sha384 and "
            "sha512");
  EXPECT_EQ(error("ok,,\na,sha1=2jmj7l5rSw0yVb_vlWAYkK_YBwk,0\n"),
            "error: 'x.whl': RECORD line 2 uses 'sha1'; the wheel format allows sha256, sha384 and "
            "sha512");
  EXPECT_EQ(error("a,sha256=short,0\n"),
            "error: 'x.whl': RECORD line 1 has a malformed sha256 value");
  EXPECT_EQ(error("a,,ten\n"),
            "error: 'x.whl': RECORD line 1 has the size 'ten', which is no number");
  EXPECT_EQ(error("a,,,x\n"), "error: 'x.whl': RECORD line 1 has more than three fields");
  EXPECT_EQ(error(",,\n"), "error: 'x.whl': RECORD line 1 has no path");
  EXPECT_EQ(error("\"a,,\n"), "error: 'x.whl': RECORD line 1 has a quote that is never closed");
  EXPECT_EQ(error("\"a\"b,,\n"), "error: 'x.whl': RECORD line 1 has text after a closing quote");
  EXPECT_EQ(error("\xff,,\n"), "error: 'x.whl': RECORD line 1 has a path that is not UTF-8");
  EXPECT_EQ(error("\"a\nb\",,\na,,1\na,,2\n"),
            "error: 'x.whl': RECORD line 4 has another row for 'a' with other values");
}

}  // namespace
}  // namespace img::testing
