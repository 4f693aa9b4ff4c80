// SPDX-License-Identifier: Apache-2.0
// Tests of the event writer against a JSON parser that is not ours.
#include "validators/probes/events.h"

#include "validators/probes/child.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>

#include <unistd.h>

namespace probe {
namespace {

/// What `write` sends as events, in a child whose standard output they are.
std::string written_by(const std::function<void()>& write) {
  const ChildEnd end = run_forked(
      [&] {
        start("test");
        write();
        return 0;
      },
      std::chrono::seconds(10));
  EXPECT_TRUE(end.good());
  const std::size_t first = end.output.find('\n');
  return end.output.substr(first + 1);
}

TEST(Event, IsOneLineOfJson) {
  const std::string line = written_by([] {
    Event("call").text("name", "a \"b\" \\ \n\t\x01 ü").integer("n", -5).flag("ok", true).emit();
  });
  const auto event = nlohmann::json::parse(line);
  EXPECT_EQ(event["event"], "call");
  EXPECT_EQ(event["name"], "a \"b\" \\ \n\t\x01 ü");
  EXPECT_EQ(event["n"], -5);
  EXPECT_EQ(event["ok"], true);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Event, ReplacesBytesThatAreNoUtf8) {
  const std::string line =
      written_by([] { Event("x").text("t", "\xff|\xc0\xaf|\xed\xa0\x80|\xe2\x82").emit(); });
  EXPECT_EQ(nlohmann::json::parse(line)["t"],
            "\ufffd|\ufffd\ufffd|\ufffd\ufffd\ufffd|\ufffd\ufffd");
}

TEST(Event, WritesNumbersThatComeBackAndNullForThoseThatAreNone) {
  const std::string line = written_by([] {
    Event("x").number("third", 1.0 / 3).number("nan", NAN).number("infinite", -INFINITY).emit();
  });
  const auto event = nlohmann::json::parse(line);
  EXPECT_EQ(event["third"].get<double>(), 1.0 / 3);
  EXPECT_TRUE(event["nan"].is_null());
  EXPECT_TRUE(event["infinite"].is_null());
}

TEST(Event, IsNotDisturbedByWhatLibrariesPrint) {
  const std::string text = written_by([] {
    static_cast<void>(::write(STDOUT_FILENO, "noise\n", 6));
    Event("x").emit();
  });
  EXPECT_EQ(text, "{\"event\":\"x\"}\n");
}

}  // namespace
}  // namespace probe
