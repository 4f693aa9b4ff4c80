// SPDX-License-Identifier: Apache-2.0
// Lines, bars and events of running tasks.
#include "builder/base/progress_display.h"

#include "builder/base/json.h"
#include "builder/base/text.h"

#include <algorithm>
#include <utility>

namespace img {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFrameInterval(100);
constexpr milliseconds kEventInterval(1000);
constexpr milliseconds kPlainInterval(5000);
constexpr seconds kRateWindow(5);
constexpr std::size_t kMostBars = 10;
constexpr std::size_t kMostPlainTasks = 3;  // of one verb; more are reported as one group

/// "17.0 s", "2:03 min", "1:02:03 h"
std::string duration_text(std::chrono::steady_clock::duration duration) {
  const auto tenths = std::chrono::duration_cast<milliseconds>(duration).count() / 100;
  if (tenths < 600) return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  const auto all = tenths / 10;
  const auto two = [](auto number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  if (all < 3600) return std::to_string(all / 60) + ":" + two(all % 60) + " min";
  return std::to_string(all / 3600) + ":" + two(all / 60 % 60) + ":" + two(all % 60) + " h";
}

/// "0:26" for the time left; empty when nothing can be said.
std::string time_left(std::uint64_t done, std::uint64_t total, std::uint64_t rate) {
  if (rate == 0 || total <= done) return {};
  const std::uint64_t left = (total - done) / rate + 1;
  if (left >= 100 * 3600) return {};
  const std::uint64_t minutes = left / 60 % 60;
  const std::string tail = (left % 60 < 10 ? ":0" : ":") + std::to_string(left % 60);
  if (left < 3600) return std::to_string(minutes) + tail;
  return std::to_string(left / 3600) + (minutes < 10 ? ":0" : ":") + std::to_string(minutes) + tail;
}

std::uint64_t percent_of(std::uint64_t done, std::uint64_t total) {
  if (done >= total) return 100;
  return total >= 100 ? std::min<std::uint64_t>(done / (total / 100), 99) : done * 100 / total;
}

/// Parts of a line without the empty ones.
std::string joined(std::initializer_list<std::string> parts) {
  std::vector<std::string> given;
  for (const std::string& part : parts) {
    if (!part.empty()) given.push_back(part);
  }
  return join(given, ", ");
}

std::string rate_text(std::uint64_t rate) { return rate == 0 ? "" : human_size(rate) + "/s"; }

std::string left_text(std::uint64_t done, std::uint64_t total, std::uint64_t rate) {
  const std::string left = time_left(done, total, rate);
  return left.empty() ? "" : left + " left";
}

/// "401 MB of 888 MB", "401 MB", or nothing for a task without bytes.
std::string bytes_text(std::uint64_t done, std::uint64_t total) {
  if (total > 0) return human_size(done) + " of " + human_size(total);
  return done > 0 ? human_size(done) : "";
}

std::string title_of(const ProgressRecord& task) {
  return printable(task.subject.empty() ? task.verb : task.verb + " " + task.subject);
}

std::string padded_right(std::string text, std::size_t columns) {
  const std::size_t width = display_width(text);
  if (width < columns) text.append(columns - width, ' ');
  return text;
}

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t columns) {
  const std::size_t inner = columns - 2;
  const std::size_t filled = inner * percent_of(done, total) / 100;
  std::string text = "[" + std::string(filled, '=');
  if (filled < inner) text += ">" + std::string(inner - filled - 1, ' ');
  return text + "]";
}

/// Title at the left, bar in the middle when there is room, numbers at the right.
std::string bar_line(const std::string& title, std::uint64_t done, std::uint64_t total,
                     const std::string& numbers, std::size_t columns) {
  constexpr std::size_t kBar = 22;
  constexpr std::size_t kLeastTitle = 24;
  const std::size_t right = display_width(numbers) + (numbers.empty() ? 0 : 2);
  if (right + 8 > columns) return fit_width(title + "  " + numbers, columns);
  const bool with_bar = total > 0 && columns >= right + kBar + 2 + kLeastTitle;
  const std::size_t room = columns - right - (with_bar ? kBar + 2 : 0);
  std::string line = padded_right(fit_width(title, room), room);
  if (with_bar) line += "  " + bar(done, total, kBar);
  return line + (numbers.empty() ? "" : "  " + numbers);
}

std::string task_line(const ProgressRecord& task, ProgressTime now, std::size_t columns) {
  const std::uint64_t done = task.done;
  const std::uint64_t total = task.total;
  const std::uint64_t rate = task.rate.per_second();
  std::string numbers =
      joined({bytes_text(done, total), rate_text(rate), left_text(done, total, rate)});
  if (numbers.empty()) numbers = duration_text(now - task.start);
  return bar_line(title_of(task), done, total, numbers, columns);
}

/// "888 MB, 17.0 s, 52.1 MB/s" for the line of a finished task; no rates of tiny times.
std::string summary_of(const ProgressRecord& task, ProgressTime now) {
  const auto elapsed = std::chrono::duration_cast<milliseconds>(now - task.start);
  const std::uint64_t done = task.done;
  std::string rate;
  if (done > 0 && elapsed >= milliseconds(1000)) {
    rate = rate_text(done / static_cast<std::uint64_t>(elapsed.count()) * 1000);
  }
  return joined({done > 0 ? human_size(done) : "",
                 elapsed >= milliseconds(100) ? duration_text(elapsed) : "", rate});
}

std::string done_line(const ProgressRecord& task, std::string_view note, ProgressTime now) {
  const std::string summary = summary_of(task, now);
  const std::string result = note.empty() ? "done" : printable(note);
  return title_of(task) + ": " + result + (summary.empty() ? "" : " (" + summary + ")");
}

/// JSON strings must be UTF-8; file names need not be.
std::string json_text(std::string_view text) {
  return is_valid_utf8(text) ? std::string(text) : printable(text);
}

Json task_event(std::string_view kind, const ProgressRecord& task) {
  const std::uint64_t total = task.total;
  return {{"event", kind},
          {"verb", json_text(task.verb)},
          {"subject", json_text(task.subject)},
          {"done", task.done.load()},
          {"total", total > 0 ? Json(total) : Json(nullptr)}};
}

}  // namespace

void RateMeter::update(ProgressTime now, std::uint64_t done) {
  constexpr milliseconds kSampleInterval(250);
  if (!samples_.empty() && done < samples_.back().done) samples_.clear();  // started again
  if (samples_.size() > 1 && now - samples_[samples_.size() - 2].time < kSampleInterval) {
    samples_.back() = {now, done};
  } else {
    samples_.push_back({now, done});
  }
  while (samples_.size() > 2 && now - samples_.front().time > kRateWindow) samples_.pop_front();
}

std::uint64_t RateMeter::per_second() const {
  if (samples_.size() < 2) return 0;
  const auto span =
      std::chrono::duration_cast<milliseconds>(samples_.back().time - samples_.front().time);
  if (span < milliseconds(200)) return 0;
  const double bytes = static_cast<double>(samples_.back().done - samples_.front().done);
  return static_cast<std::uint64_t>(bytes * 1000 / static_cast<double>(span.count()));
}

ProgressDisplay::ProgressDisplay(ProgressMode mode, ProgressOutput output)
    : mode_(mode), output_(std::move(output)) {}

milliseconds ProgressDisplay::interval() const {
  return mode_ == ProgressMode::tty ? kFrameInterval : kEventInterval;
}

void ProgressDisplay::start(std::shared_ptr<ProgressRecord> task, ProgressTime now) {
  now_ = now;
  task->start = now;
  task->last_report = now;
  task->rate.update(now, task->done);
  Group& group = groups_[task->verb];
  if (group.running == 0 && group.finished == 0) {
    group.start = group.last_report = now;
    group.rate.update(now, 0);
  }
  ++group.running;
  if (mode_ == ProgressMode::json) progress_event(*task);
  running_.push_back(std::move(task));
}

void ProgressDisplay::finish(const std::shared_ptr<ProgressRecord>& task, Outcome outcome,
                             std::string_view note, ProgressTime now) {
  now_ = now;
  running_.erase(std::remove(running_.begin(), running_.end(), task), running_.end());
  Group& group = groups_[task->verb];
  --group.running;
  ++group.finished;
  group.finished_bytes +=
      std::max(task->done.load(), outcome == Outcome::done ? task->total.load() : 0);
  switch (mode_) {
    case ProgressMode::json:
      done_event(*task, outcome, note);
      break;
    case ProgressMode::tty:
      // A failed task just goes: the error that follows says more.
      write_line(outcome == Outcome::done ? done_line(*task, note, now) : "");
      break;
    case ProgressMode::plain:
      write_line(outcome == Outcome::done ? done_line(*task, note, now)
                                          : title_of(*task) + ": stopped");
      break;
    default:
      break;
  }
  if (running_.empty()) groups_.clear();  // the next stage counts for itself
}

void ProgressDisplay::log(std::string_view line, ProgressTime now) {
  now_ = now;
  if (mode_ == ProgressMode::json) return message_event("log", line);
  if (mode_ != ProgressMode::quiet) write_line(printable(line));
}

void ProgressDisplay::warn(std::string_view line, ProgressTime now) {
  now_ = now;
  if (mode_ == ProgressMode::json) return message_event("warn", line);
  write_line("warning: " + printable(line));
}

/// One line that stays, above the bars; an empty one only redraws them.
void ProgressDisplay::write_line(std::string_view line) {
  std::string text = line.empty() ? "" : std::string(line) + "\n";
  if (mode_ != ProgressMode::tty) {
    if (!text.empty()) output_.write(text);
    return;
  }
  std::string out;
  if (drawn_ > 0) out = "\x1b[" + std::to_string(drawn_) + "A\r\x1b[J";
  drawn_ = 0;
  out += text;
  const std::string bars = frame();
  drawn_ = static_cast<std::size_t>(std::count(bars.begin(), bars.end(), '\n'));
  output_.write(out + bars);
}

void ProgressDisplay::tick(ProgressTime now) {
  now_ = now;
  for (const auto& task : running_) task->rate.update(now, task->done);
  for (auto& [verb, group] : groups_) group.rate.update(now, totals_of(verb, group).done);
  switch (mode_) {
    case ProgressMode::tty: {
      // Lines are overwritten one by one, since clearing all of them first would flicker.
      const std::string bars = frame();
      std::string out;
      if (drawn_ > 0) out = "\x1b[" + std::to_string(drawn_) + "A\r";
      for (const char c : bars) {
        if (c == '\n') out += "\x1b[K";
        out += c;
      }
      out += "\x1b[J";
      drawn_ = static_cast<std::size_t>(std::count(bars.begin(), bars.end(), '\n'));
      output_.write(out);
      break;
    }
    case ProgressMode::plain:
      tick_plain(now);
      break;
    case ProgressMode::json:
      tick_json(now);
      break;
    default:
      break;
  }
}

void ProgressDisplay::close() {
  if (mode_ == ProgressMode::tty && drawn_ > 0) {
    output_.write("\x1b[" + std::to_string(drawn_) + "A\r\x1b[J");
  }
  drawn_ = 0;
}

ProgressDisplay::Totals ProgressDisplay::totals_of(const std::string& verb,
                                                   const Group& group) const {
  Totals totals{group.finished_bytes, group.finished_bytes};
  bool known = true;
  for (const auto& task : running_) {
    if (task->verb != verb) continue;
    const std::uint64_t total = task->total;
    totals.done += task->done;
    totals.total += total;
    known = known && total > 0;
  }
  if (!known) totals.total = 0;
  return totals;
}

std::string ProgressDisplay::group_line(const std::string& verb, const Group& group,
                                        std::size_t columns) const {
  const Totals totals = totals_of(verb, group);
  const std::uint64_t rate = group.rate.per_second();
  const std::string title = printable(verb) + ": " + std::to_string(group.finished) + " of " +
                            std::to_string(group.finished + group.running) + " done";
  std::string numbers = joined({bytes_text(totals.done, totals.total), rate_text(rate),
                                left_text(totals.done, totals.total, rate)});
  if (numbers.empty()) numbers = duration_text(now_ - group.start);
  if (columns == 0) return title + ", " + numbers;  // a plain line
  return bar_line(title, totals.done, totals.total, numbers, columns);
}

/// The bars: oldest tasks first, then one line for every verb with several tasks.
std::string ProgressDisplay::frame() const {
  const auto [columns, rows] = output_.size();
  // One column and one row stay free: some terminals wrap or scroll when the last one is written.
  const std::size_t width = columns > 1 ? columns - 1 : 79;
  std::vector<std::string> overall;
  for (const auto& [verb, group] : groups_) {
    const bool several = group.running + group.finished > 1 && group.running > 0;
    if (several) overall.push_back(group_line(verb, group, width));
  }
  const std::size_t reserved = overall.size() + 2;
  const std::size_t most = std::min(kMostBars, rows > reserved ? rows - reserved : 1);
  std::string text;
  for (std::size_t i = 0; i < std::min(most, running_.size()); ++i) {
    text += task_line(*running_[i], now_, width) + "\n";
  }
  if (running_.size() > most) {
    text += fit_width("… and " + std::to_string(running_.size() - most) + " more", width) + "\n";
  }
  for (const std::string& line : overall) text += line + "\n";
  return text;
}

void ProgressDisplay::tick_plain(ProgressTime now) {
  for (auto& [verb, group] : groups_) {
    if (group.running <= kMostPlainTasks || now - group.last_report < kPlainInterval) continue;
    group.last_report = now;
    write_line(group_line(verb, group, 0));
  }
  for (const auto& task : running_) {
    if (groups_[task->verb].running <= kMostPlainTasks) plain_task(*task, now);
  }
}

void ProgressDisplay::plain_task(ProgressRecord& task, ProgressTime now) {
  if (now - task.last_report < kPlainInterval) return;
  task.last_report = now;
  const std::uint64_t done = task.done;
  const std::uint64_t total = task.total;
  const std::uint64_t rate = task.rate.per_second();
  const std::string percent = total > 0 ? std::to_string(percent_of(done, total)) + " %" : "";
  std::string numbers =
      joined({percent, bytes_text(done, total), rate_text(rate), left_text(done, total, rate)});
  if (numbers.empty()) numbers = duration_text(now - task.start);
  write_line(title_of(task) + ": " + numbers);
}

void ProgressDisplay::tick_json(ProgressTime now) {
  for (const auto& task : running_) {
    const std::uint64_t done = task->done;
    if (now - task->last_report < kEventInterval || done == task->reported) continue;
    task->last_report = now;
    task->reported = done;
    progress_event(*task);
  }
}

void ProgressDisplay::progress_event(const ProgressRecord& task) {
  output_.write(canonical_json(task_event("progress", task)) + "\n");
}

void ProgressDisplay::done_event(const ProgressRecord& task, Outcome outcome,
                                 std::string_view note) {
  Json json = task_event("done", task);
  json["ok"] = outcome == Outcome::done;
  json["note"] = note.empty() ? Json(nullptr) : Json(json_text(note));
  output_.write(canonical_json(json) + "\n");
}

void ProgressDisplay::message_event(std::string_view kind, std::string_view text) {
  output_.write(canonical_json(Json{{"event", kind}, {"text", json_text(text)}}) + "\n");
}

}  // namespace img
