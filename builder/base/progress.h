// SPDX-License-Identifier: Apache-2.0
// Progress of long work on standard error: bars on a terminal, plain lines elsewhere, NDJSON on
// demand.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace img {

enum class ProgressMode { automatic, tty, plain, json, quiet };
/// "auto", "tty", "plain", "json", "quiet"; nullopt otherwise.
std::optional<ProgressMode> parse_progress_mode(std::string_view text);

class Progress;

/// One piece of work. Thread-safe; finished (as failed) by its destructor when finish() was not
/// called.
class ProgressTask {
 public:
  ProgressTask(ProgressTask&&) noexcept;
  ProgressTask& operator=(ProgressTask&&) noexcept;
  ~ProgressTask();
  void advance(std::uint64_t bytes);
  void set_total(std::uint64_t bytes);
  void reset_to(std::uint64_t done);        ///< a restarted transfer
  void finish(std::string_view note = {});  ///< note: e.g. "cached", "torch 888 MB"

 private:
  friend class Progress;
  struct State;
  explicit ProgressTask(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// Draws all running tasks with bytes, rate and ETA (at most 10 times a second), an overall line,
/// and plain "done" lines; owns the terminal line, so log() never tears a bar. Thread-safe.
/// automatic = tty when stderr is a terminal, CI is unset and TERM is not dumb; else plain.
class Progress {
 public:
  explicit Progress(ProgressMode mode);
  ~Progress();
  /// A step without sub-steps, e.g. task("fetching", "torch-2.8.0…whl", 888063640); total 0:
  /// unknown.
  ProgressTask task(std::string_view verb, std::string_view subject, std::uint64_t total_bytes = 0);
  /// One line for the user, above the bars. Not shown in quiet mode.
  void log(std::string_view line);
  /// A warning; shown in every mode.
  void warn(std::string_view line);

 private:
  friend class ProgressTask;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace img
