// SPDX-License-Identifier: Apache-2.0
// What Progress shows, as a state machine without threads, clock or terminal of its own.
#pragma once

#include "builder/base/progress.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace img {

using ProgressTime = std::chrono::steady_clock::time_point;

/// Bytes per second over the last few seconds.
class RateMeter {
 public:
  void update(ProgressTime now, std::uint64_t done);
  std::uint64_t per_second() const;

 private:
  struct Sample {
    ProgressTime time;
    std::uint64_t done;
  };
  std::deque<Sample> samples_;
};

/// One task; `done` and `total` are written by the working thread, the rest by the display.
struct ProgressRecord {
  std::string verb;
  std::string subject;
  std::atomic<std::uint64_t> done{0};
  std::atomic<std::uint64_t> total{0};
  ProgressTime start;
  RateMeter rate = {};
  ProgressTime last_report = {};  // of a plain line or a JSON event
  std::uint64_t reported = 0;
};

/// Where the output goes and how large the terminal is.
struct ProgressOutput {
  std::function<void(std::string_view)> write;
  std::function<std::pair<std::size_t, std::size_t>()> size;  // columns, rows
};

/// Not thread-safe.
class ProgressDisplay {
 public:
  /// `mode` is not automatic.
  ProgressDisplay(ProgressMode mode, ProgressOutput output);

  enum class Outcome { done, failed };
  void start(std::shared_ptr<ProgressRecord> task, ProgressTime now);
  void finish(const std::shared_ptr<ProgressRecord>& task, Outcome outcome, std::string_view note,
              ProgressTime now);
  void log(std::string_view line, ProgressTime now);
  void warn(std::string_view line, ProgressTime now);
  /// Redraws bars, or writes the periodic lines or events that are due.
  void tick(ProgressTime now);
  /// Takes the bars away.
  void close();

  bool has_tasks() const { return !running_.empty(); }
  /// How long tick() can wait.
  std::chrono::milliseconds interval() const;

 private:
  /// All tasks of one verb together.
  struct Group {
    std::size_t running = 0;
    std::size_t finished = 0;
    std::uint64_t finished_bytes = 0;
    ProgressTime start = {};
    RateMeter rate = {};
    ProgressTime last_report = {};
  };
  struct Totals {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // 0: not known
  };

  Totals totals_of(const std::string& verb, const Group& group) const;
  std::string group_line(const std::string& verb, const Group& group, std::size_t columns) const;
  std::string frame() const;
  void write_line(std::string_view line);
  void tick_plain(ProgressTime now);
  void tick_json(ProgressTime now);
  void plain_task(ProgressRecord& task, ProgressTime now);
  void progress_event(const ProgressRecord& task);
  void done_event(const ProgressRecord& task, Outcome outcome, std::string_view note);
  void message_event(std::string_view kind, std::string_view text);

  ProgressMode mode_;
  ProgressOutput output_;
  std::vector<std::shared_ptr<ProgressRecord>> running_;
  std::map<std::string, Group> groups_;  // by verb
  std::size_t drawn_ = 0;                // lines of bars on the terminal
  ProgressTime now_ = {};
};

}  // namespace img
