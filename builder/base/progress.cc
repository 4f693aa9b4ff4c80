// SPDX-License-Identifier: Apache-2.0
// Connects the display of progress to threads, the clock and standard error.
#include "builder/base/progress.h"

#include "builder/base/progress_display.h"
#include "builder/base/thread_pool.h"

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace img {
namespace {

using Clock = std::chrono::steady_clock;

/// Progress is a courtesy: a closed standard error must not end the work.
void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::pair<std::size_t, std::size_t> terminal_size() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {80, 24};
  return {size.ws_col, size.ws_row == 0 ? 24 : size.ws_row};
}

std::string_view environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

ProgressMode resolve(ProgressMode mode) {
  if (mode != ProgressMode::automatic) return mode;
  const std::string_view ci = environment("CI");
  const std::string_view term = environment("TERM");
  const bool in_ci = !ci.empty() && ci != "false";
  const bool dumb = term.empty() || term == "dumb";
  return in_ci || dumb || isatty(STDERR_FILENO) == 0 ? ProgressMode::plain : ProgressMode::tty;
}

}  // namespace

struct Progress::State {
  explicit State(ProgressMode mode)
      : display(resolve(mode), {write_stderr, terminal_size}),
        ticks(resolve(mode) != ProgressMode::quiet) {}

  /// Wakes up only while there are tasks.
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    while (!stop.stop_requested()) {
      if (!wake.wait(lock, stop, [this] { return display.has_tasks(); })) return;
      display.tick(Clock::now());
      wake.wait_for(lock, stop, display.interval(), [] { return false; });
    }
  }

  std::mutex mutex;
  ProgressDisplay display;
  const bool ticks;
  std::condition_variable_any wake;
  std::jthread thread;  // started with the first task
};

struct ProgressTask::State {
  std::shared_ptr<Progress::State> progress;
  std::shared_ptr<ProgressRecord> record;

  void finish(ProgressDisplay::Outcome outcome, std::string_view note) const {
    const std::lock_guard lock(progress->mutex);
    progress->display.finish(record, outcome, note, Clock::now());
  }
};

std::optional<ProgressMode> parse_progress_mode(std::string_view text) {
  if (text == "auto") return ProgressMode::automatic;
  if (text == "tty") return ProgressMode::tty;
  if (text == "plain") return ProgressMode::plain;
  if (text == "json") return ProgressMode::json;
  if (text == "quiet") return ProgressMode::quiet;
  return std::nullopt;
}

Progress::Progress(ProgressMode mode) : state_(std::make_shared<State>(mode)) {}

Progress::~Progress() {
  state_->thread = std::jthread();  // stops and joins
  const std::lock_guard lock(state_->mutex);
  state_->display.close();
}

ProgressTask Progress::task(std::string_view verb, std::string_view subject,
                            std::uint64_t total_bytes) {
  auto record = std::make_shared<ProgressRecord>();
  record->verb = verb;
  record->subject = subject;
  record->total = total_bytes;
  auto task = std::make_shared<ProgressTask::State>();
  task->progress = state_;
  task->record = record;
  {
    const std::lock_guard lock(state_->mutex);
    state_->display.start(std::move(record), Clock::now());
    if (state_->ticks && !state_->thread.joinable()) {
      State* const state = state_.get();
      state->thread = start_thread([state](const std::stop_token& stop) { state->run(stop); });
    }
  }
  state_->wake.notify_one();
  return ProgressTask(std::move(task));
}

void Progress::log(std::string_view line) {
  const std::lock_guard lock(state_->mutex);
  state_->display.log(line, Clock::now());
}

void Progress::warn(std::string_view line) {
  const std::lock_guard lock(state_->mutex);
  state_->display.warn(line, Clock::now());
}

ProgressTask::ProgressTask(std::shared_ptr<State> state) : state_(std::move(state)) {}
ProgressTask::ProgressTask(ProgressTask&&) noexcept = default;

ProgressTask& ProgressTask::operator=(ProgressTask&& other) noexcept {
  if (this == &other) return *this;
  if (state_) state_->finish(ProgressDisplay::Outcome::failed, {});
  state_ = std::move(other.state_);
  return *this;
}

ProgressTask::~ProgressTask() {
  if (state_) state_->finish(ProgressDisplay::Outcome::failed, {});
}

void ProgressTask::advance(std::uint64_t bytes) {
  if (state_) state_->record->done.fetch_add(bytes, std::memory_order_relaxed);
}

void ProgressTask::set_total(std::uint64_t bytes) {
  if (state_) state_->record->total.store(bytes, std::memory_order_relaxed);
}

void ProgressTask::reset_to(std::uint64_t done) {
  if (state_) state_->record->done.store(done, std::memory_order_relaxed);
}

void ProgressTask::finish(std::string_view note) {
  if (!state_) return;
  state_->finish(ProgressDisplay::Outcome::done, note);
  state_.reset();
}

}  // namespace img
