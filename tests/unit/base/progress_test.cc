// SPDX-License-Identifier: Apache-2.0
// What people and programs see of running work, with a clock of the test's own.
#include "builder/base/progress.h"

#include "builder/base/file.h"
#include "builder/base/json.h"
#include "builder/base/progress_display.h"
#include "builder/base/text.h"

#include <gtest/gtest.h>

#include <thread>

namespace img {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = ProgressDisplay::Outcome;

class ProgressTest : public testing::Test {
 protected:
  ProgressDisplay make(ProgressMode mode) {
    return ProgressDisplay(mode, {[this](std::string_view text) { out_ += text; },
                                  [this] { return std::pair(columns_, rows_); }});
  }
  std::shared_ptr<ProgressRecord> record(const std::string& verb, const std::string& subject,
                                         std::uint64_t total) {
    auto task = std::make_shared<ProgressRecord>();
    task->verb = verb;
    task->subject = subject;
    task->total = total;
    return task;
  }
  std::string take() { return std::exchange(out_, {}); }

  std::string out_;
  std::size_t columns_ = 101;
  std::size_t rows_ = 24;
  const ProgressTime start_ = ProgressTime(seconds(1000));
};

TEST_F(ProgressTest, PlainWritesALineWhenATaskEnds) {
  ProgressDisplay display = make(ProgressMode::plain);
  const auto task = record("fetching", "torch.whl", 888'063'640);
  display.start(task, start_);
  EXPECT_EQ(take(), "");
  task->done = 888'063'640;
  display.finish(task, Outcome::done, "", start_ + seconds(17));
  EXPECT_EQ(take(), "fetching torch.whl: done (888 MB, 17.0 s, 52.2 MB/s)\n");
}

TEST_F(ProgressTest, PlainShowsNotesAndLeavesOutTrifles) {
  ProgressDisplay display = make(ProgressMode::plain);
  const auto task = record("writing layer", "torch", 0);
  display.start(task, start_);
  display.finish(task, Outcome::done, "cached", start_ + milliseconds(20));
  EXPECT_EQ(take(), "writing layer torch: cached\n");
  const auto failed = record("solving", "", 0);
  display.start(failed, start_);
  display.finish(failed, Outcome::failed, "", start_);
  EXPECT_EQ(take(), "solving: stopped\n");
}

TEST_F(ProgressTest, PlainReportsLongTasksEveryFiveSeconds) {
  ProgressDisplay display = make(ProgressMode::plain);
  const auto sized = record("fetching", "torch.whl", 1'000'000'000);
  const auto unsized = record("solving", "", 0);
  display.start(sized, start_);
  display.start(unsized, start_);
  for (int second = 1; second <= 11; ++second) {
    sized->done = static_cast<std::uint64_t>(second) * 50'000'000;
    display.tick(start_ + seconds(second));
  }
  EXPECT_EQ(take(),
            "fetching torch.whl: 25 %, 250 MB of 1.00 GB, 50.0 MB/s, 0:16 left\n"
            "solving: 5.0 s\n"
            "fetching torch.whl: 50 %, 500 MB of 1.00 GB, 50.0 MB/s, 0:11 left\n"
            "solving: 10.0 s\n");
}

TEST_F(ProgressTest, PlainReportsManyTasksAsOne) {
  ProgressDisplay display = make(ProgressMode::plain);
  std::vector<std::shared_ptr<ProgressRecord>> tasks;
  for (int i = 0; i < 5; ++i) {
    tasks.push_back(record("fetching", "deb" + std::to_string(i), 1'000'000));
    display.start(tasks.back(), start_);
  }
  tasks[0]->done = 1'000'000;
  display.finish(tasks[0], Outcome::done, "", start_);
  take();
  display.tick(start_ + seconds(5));
  EXPECT_EQ(take(), "fetching: 1 of 5 done, 1.00 MB of 5.00 MB, 200 kB/s, 0:21 left\n");
}

TEST_F(ProgressTest, TerminalDrawsBarsAndKeepsDoneLinesAbove) {
  ProgressDisplay display = make(ProgressMode::tty);
  const auto one = record("fetching", "torch.whl", 1'000'000'000);
  const auto two = record("fetching", "numpy.whl", 16'000'000);
  display.start(one, start_);
  display.start(two, start_);
  one->done = 400'000'000;
  display.tick(start_ + seconds(4));
  EXPECT_EQ(take(),
            "fetching torch.whl                    [========>           ]  "
            "400 MB of 1.00 GB, 100 MB/s, 0:07 left\x1b[K\n"
            "fetching numpy.whl                                            [>                   ]  "
            "0 B of 16.0 MB\x1b[K\n"
            "fetching: 0 of 2 done                 [=======>            ]  "
            "400 MB of 1.02 GB, 100 MB/s, 0:07 left\x1b[K\n"
            "\x1b[J");
  two->done = 16'000'000;
  display.finish(two, Outcome::done, "", start_ + seconds(4));
  const std::string text = take();
  EXPECT_TRUE(
      text.starts_with("\x1b[3A\r\x1b[Jfetching numpy.whl: done (16.0 MB, 4.0 s, "
                       "4.00 MB/s)\nfetching torch.whl "))
      << text;
  display.log("hello\x1b", start_ + seconds(4));
  EXPECT_TRUE(take().starts_with("\x1b[2A\r\x1b[Jhello\\x1b\nfetching torch.whl "));
  display.close();
  EXPECT_EQ(take(), "\x1b[2A\r\x1b[J");
}

TEST_F(ProgressTest, TerminalLinesNeverExceedTheWidth) {
  for (columns_ = 1; columns_ < 140; ++columns_) {
    ProgressDisplay display = make(ProgressMode::tty);
    const auto task = record("fetching", std::string(200, 'x') + "漢", 1'000'000'000);
    display.start(task, start_);
    display.start(record("fetching", "a", 5), start_);
    task->done = 400'000'000;
    display.tick(start_ + seconds(4));
    for (std::string line : split(take(), '\n')) {
      const std::size_t escape = line.find("\x1b[");
      if (escape != std::string::npos) line.resize(escape);
      EXPECT_LE(display_width(line), columns_ > 1 ? columns_ - 1 : 79) << line;
    }
  }
}

TEST_F(ProgressTest, TerminalHidesTasksThatDoNotFit) {
  rows_ = 6;
  ProgressDisplay display = make(ProgressMode::tty);
  for (int i = 0; i < 20; ++i) display.start(record("fetching", std::to_string(i), 10), start_);
  display.tick(start_ + seconds(1));
  const std::string text = take();
  EXPECT_NE(text.find("… and 17 more"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 5);
}

TEST_F(ProgressTest, JsonWritesEvents) {
  ProgressDisplay display = make(ProgressMode::json);
  const auto task = record("fetching", "a\xff.whl", 10);
  display.start(task, start_);
  task->done = 4;
  display.tick(start_ + milliseconds(500));  // too soon
  display.tick(start_ + milliseconds(1000));
  display.tick(start_ + milliseconds(2000));  // nothing new
  display.log("x", start_);
  display.warn("y\n", start_);
  display.finish(task, Outcome::done, "cached", start_ + seconds(3));
  const auto unknown = record("solving", "", 0);
  display.start(unknown, start_);
  display.finish(unknown, Outcome::failed, "", start_);
  EXPECT_EQ(take(),
            R"({"done":0,"event":"progress","subject":"a\\xff.whl","total":10,"verb":"fetching"})"
            "\n"
            R"({"done":4,"event":"progress","subject":"a\\xff.whl","total":10,"verb":"fetching"})"
            "\n"
            R"({"event":"log","text":"x"})"
            "\n"
            R"({"event":"warn","text":"y\n"})"
            "\n"
            R"({"done":4,"event":"done","note":"cached","ok":true,"subject":"a\\xff.whl",)"
            R"("total":10,"verb":"fetching"})"
            "\n"
            R"({"done":0,"event":"progress","subject":"","total":null,"verb":"solving"})"
            "\n"
            R"({"done":0,"event":"done","note":null,"ok":false,"subject":"","total":null,)"
            R"("verb":"solving"})"
            "\n");
}

TEST_F(ProgressTest, QuietShowsOnlyWarnings) {
  ProgressDisplay display = make(ProgressMode::quiet);
  const auto task = record("fetching", "a", 10);
  display.start(task, start_);
  display.log("x", start_);
  display.tick(start_ + seconds(10));
  display.finish(task, Outcome::done, "", start_ + seconds(11));
  EXPECT_EQ(take(), "");
  display.warn("careful", start_);
  EXPECT_EQ(take(), "warning: careful\n");
}

TEST_F(ProgressTest, RestartedTransfersDoNotSpoilTheRate) {
  RateMeter rate;
  rate.update(start_, 0);
  rate.update(start_ + seconds(1), 1000);
  EXPECT_EQ(rate.per_second(), 1000u);
  rate.update(start_ + seconds(2), 0);
  EXPECT_EQ(rate.per_second(), 0u);
  rate.update(start_ + seconds(3), 500);
  EXPECT_EQ(rate.per_second(), 500u);
}

TEST_F(ProgressTest, RateForgetsOldTimes) {
  RateMeter rate;
  for (int second = 0; second <= 20; ++second) {
    rate.update(start_ + seconds(second),
                second <= 10 ? 0 : static_cast<std::uint64_t>(second) * 7);
  }
  EXPECT_EQ(rate.per_second(), 7u);
}

TEST(ProgressMode, ParsesItsNames) {
  EXPECT_EQ(parse_progress_mode("auto"), ProgressMode::automatic);
  EXPECT_EQ(parse_progress_mode("tty"), ProgressMode::tty);
  EXPECT_EQ(parse_progress_mode("plain"), ProgressMode::plain);
  EXPECT_EQ(parse_progress_mode("json"), ProgressMode::json);
  EXPECT_EQ(parse_progress_mode("quiet"), ProgressMode::quiet);
  EXPECT_EQ(parse_progress_mode("fancy"), std::nullopt);
}

TEST(Progress, TaskEndsAsStoppedUnlessFinished) {
  testing::internal::CaptureStderr();
  {
    Progress progress(ProgressMode::plain);
    {
      ProgressTask stopped = progress.task("fetching", "a");
      ProgressTask moved = std::move(stopped);
      ProgressTask done = progress.task("fetching", "b", 5);
      done.advance(5);
      done.finish();
      done.finish();  // once is enough
    }
    progress.log("line");
    progress.warn("careful");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "fetching b: done (5 B)\nfetching a: stopped\nline\nwarning: careful\n");
}

TEST(Progress, TasksMayOutliveIt) {
  testing::internal::CaptureStderr();
  std::optional<ProgressTask> task;
  {
    Progress progress(ProgressMode::plain);
    task = progress.task("fetching", "a");
  }
  task->finish("late");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "fetching a: late\n");
}

TEST(Progress, ManyThreadsWriteWholeLines) {
  testing::internal::CaptureStderr();
  {
    Progress progress(ProgressMode::json);
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&progress, i] {
        for (int j = 0; j < 50; ++j) {
          ProgressTask task = progress.task("working", std::to_string(i), 100);
          task.advance(50);
          task.reset_to(10);
          task.set_total(90);
          task.finish();
        }
      });
    }
  }
  std::size_t lines = 0;
  for (const std::string& line : split(testing::internal::GetCapturedStderr(), '\n')) {
    if (line.empty()) continue;
    parse_json(line, "event");
    ++lines;
  }
  EXPECT_EQ(lines, 800u);
}

}  // namespace
}  // namespace img
