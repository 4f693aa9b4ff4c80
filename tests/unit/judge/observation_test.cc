// SPDX-License-Identifier: Apache-2.0
// Tests of the reader of events: whatever an image wrote is data.
#include "validators/judge/event_reader.h"

#include <gtest/gtest.h>

#include <string>

namespace img {
namespace {

ProbeRun read(const std::string& text, const EventLimits& limits = {}) {
  ProbeRun run;
  run.label = "x";
  run.end = RunEnd::exited;
  read_events(text, run, limits);
  return run;
}

TEST(ReadEvents, TakesOneObjectALine) {
  const ProbeRun run = read("{\"event\":\"start\"}\n{\"event\":\"end\"}\n");
  EXPECT_EQ(run.events.size(), 2u);
  EXPECT_EQ(run.broken_lines, 0u);
  EXPECT_TRUE(run.complete);
}

TEST(ReadEvents, IsIncompleteWithoutAnEndEventAsTheLastLine) {
  EXPECT_FALSE(read("").complete);
  EXPECT_FALSE(read("{\"event\":\"start\"}\n").complete);
  EXPECT_FALSE(read("{\"event\":\"end\"}\n{\"event\":\"call\"}\n").complete);
  EXPECT_FALSE(read("{\"event\":\"end\"}\nafterwards\n").complete);
  EXPECT_TRUE(read("{\"event\":\"end\"}").complete);  // the newline alone may be cut off
}

TEST(ReadEvents, CountsLinesThatAreNoEvents) {
  const ProbeRun run = read(
      "hello\n[1]\n7\n{\"a\":1}\n{\"event\":3}\n{\"event\":\"x\",\"event\":\"y\"}\n"
      "{\"event\":\"\xff\"}\n\n{\"event\":\"end\"}\n");
  EXPECT_EQ(run.events.size(), 1u);
  EXPECT_EQ(run.broken_lines, 8u);
}

TEST(ReadEvents, HoldsItsLimits) {
  const std::string deep =
      "{\"event\":\"x\",\"a\":" + std::string(40, '[') + std::string(40, ']') + "}\n";
  EXPECT_EQ(read(deep).broken_lines, 1u);
  EXPECT_EQ(read(std::string(1000, 'x') + "\n", {.line = 100}).broken_lines, 1u);
  const ProbeRun many =
      read("{\"event\":\"a\"}\n{\"event\":\"b\"}\n{\"event\":\"end\"}\n", {.events = 2});
  EXPECT_EQ(many.events.size(), 2u);
  EXPECT_EQ(many.broken_lines, 1u);
  EXPECT_FALSE(many.complete);
  const ProbeRun big = read("{\"event\":\"a\"}\n{\"event\":\"end\"}\n", {.bytes = 14});
  EXPECT_FALSE(big.complete);
  EXPECT_GT(big.broken_lines, 0u);
}

TEST(EventReader, TakesAWrongTypeForAnAbsentValue) {
  const Json event =
      Json::parse(R"({"event":"x","text":7,"number":"7","flag":1,"big":18446744073709551615,
      "half":1.5,"null":null,"list":[1]})");
  EXPECT_EQ(text_of(event, "text"), std::nullopt);
  EXPECT_EQ(integer_of(event, "number"), std::nullopt);
  EXPECT_EQ(integer_of(event, "half"), std::nullopt);
  EXPECT_EQ(integer_of(event, "big"), std::nullopt);
  EXPECT_EQ(integer_of(event, "null"), std::nullopt);
  EXPECT_EQ(number_of(event, "list"), std::nullopt);
  EXPECT_EQ(flag_of(event, "flag"), std::nullopt);
  EXPECT_EQ(integer_of(Json::array(), "x"), std::nullopt);
  EXPECT_EQ(number_of(event, "half"), 1.5);
}

TEST(EventReader, MakesTextSafeAndShort) {
  Json event = {{"event", "x"}, {"text", "a\x1b[2Jb\n\tc\n"}, {"long", std::string(5000, 'y')}};
  EXPECT_EQ(text_of(event, "text"), "a\\x1b[2Jb  c");
  EXPECT_EQ(text_of(event, "long"), std::string(1000, 'y') + "…");
}

TEST(WhyUnusable, SaysWhatWentWrong) {
  ProbeRun run = read("{\"event\":\"end\"}\n");
  EXPECT_EQ(why_unusable(&run, "x"), "");
  EXPECT_EQ(why_unusable(nullptr, "x"), "probe run 'x' was not made");
  run.broken_lines = 2;
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' wrote 2 lines that are no events");
  run.broken_lines = 0;
  run.complete = false;
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' was cut off before its end");
  run.exit_code = 2;
  run.stderr_tail = "first\nerror: unknown argument\n";
  EXPECT_EQ(why_unusable(&run, "x"),
            "probe run 'x' ended with exit code 2: error: unknown argument");
  run.end = RunEnd::signalled;
  run.exit_code = 134;
  run.stderr_tail = "";
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' died of signal 6");
  run.end = RunEnd::timed_out;
  run.reason = "60 s";
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' was killed at its time limit: 60 s");
  run.end = RunEnd::output_limit;
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' was killed because it wrote too much: 60 s");
  run.end = RunEnd::not_started;
  run.reason = "no such file";
  EXPECT_EQ(why_unusable(&run, "x"), "probe run 'x' could not be started: no such file");
}

}  // namespace
}  // namespace img
