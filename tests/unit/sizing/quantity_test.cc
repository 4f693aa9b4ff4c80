// SPDX-License-Identifier: Apache-2.0
// Numbers as people type and read them.

#include "validators/sizing/quantity.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(Quantity, ReadsCountsWithTheirUnit) {
  EXPECT_EQ(parse_count("7B"), 7e9);
  EXPECT_EQ(parse_count("350M"), 350e6);
  EXPECT_EQ(parse_count("1.3b"), 1.3e9);
  EXPECT_EQ(parse_count("125000000"), 125e6);
  for (const char* text : {"", "B", "7 B", "-7B", "7Q", "1.2.3", "1e9", "."}) {
    EXPECT_FALSE(parse_count(text)) << text;
  }
}

TEST(Quantity, ReadsDurations) {
  EXPECT_EQ(parse_duration("45s"), 45);
  EXPECT_EQ(parse_duration("12min"), 720);
  EXPECT_EQ(parse_duration("1h30m"), 5400);
  EXPECT_EQ(parse_duration("250ms"), 0.25);
  EXPECT_EQ(parse_duration("90"), 90);
  for (const char* text : {"", "min", "5x", "1h30", "-3s", "1 h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Quantity, WritesDurations) {
  EXPECT_EQ(duration_words(0), "0 s");
  EXPECT_EQ(duration_words(0.25), "0.25 s");
  EXPECT_EQ(duration_words(45), "45 s");
  EXPECT_EQ(duration_words(225), "3 min 45 s");
  EXPECT_EQ(duration_words(900), "15 min");
  EXPECT_EQ(duration_words(7500), "2 h 5 min");
}

TEST(Quantity, WritesMoneyWithAsManyDigitsAsSaySomething) {
  EXPECT_EQ(money(0.13, "USD"), "$0.13");
  EXPECT_EQ(money(0.0325, "USD"), "$0.0325");
  EXPECT_EQ(money(711.75, "USD"), "$711.75");
  EXPECT_EQ(money(7000, "USD"), "$7,000.00");
  EXPECT_EQ(money(1234567.891, "EUR"), "1,234,567.89 EUR");
  EXPECT_EQ(money(-0.5, "USD"), "-$0.50");
}

}  // namespace
}  // namespace img
