// SPDX-License-Identifier: Apache-2.0
// A bounded queue of buffers between the thread that reads and the one that uses.
#include "validators/runner/read_ahead.h"

#include "builder/base/thread_pool.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::size_t kBufferSize = 1 << 20;
constexpr std::size_t kMostQueued = 4;

}  // namespace

ReadAhead::ReadAhead(Source& source)
    : source_(source), thread_(start_thread([this](const std::stop_token& stop) { run(stop); })) {}

ReadAhead::~ReadAhead() = default;  // the thread is asked to stop and awaited first

std::size_t ReadAhead::read(ByteSpan buffer) {
  if (rest_.empty() && !next_buffer()) return 0;
  const std::size_t size = std::min(buffer.size(), rest_.size());
  std::copy_n(rest_.begin(), size, buffer.begin());
  rest_ = rest_.subspan(size);
  return size;
}

bool ReadAhead::next_buffer() {
  std::unique_lock lock(mutex_);
  if (current_.capacity() != 0) spare_.push_back(std::move(current_));
  current_ = Buffer();
  changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
  if (queue_.empty()) {
    if (error_) std::rethrow_exception(error_);
    return false;
  }
  current_ = std::move(queue_.front());
  queue_.pop_front();
  rest_ = current_;
  changed_.notify_all();
  return true;
}

void ReadAhead::run(const std::stop_token& stop) {
  std::exception_ptr error;
  try {
    while (true) {
      Buffer buffer;
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return queue_.size() < kMostQueued; })) break;
        if (!spare_.empty()) {
          buffer = std::move(spare_.back());
          spare_.pop_back();
        }
      }
      buffer.resize(kBufferSize);
      const std::size_t count = read_full(source_, buffer);
      if (count == 0) break;
      buffer.resize(count);
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(buffer));
      changed_.notify_all();
    }
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  ended_ = true;
  changed_.notify_all();
}

}  // namespace img
