// SPDX-License-Identifier: Apache-2.0
// A bounded queue of buffers between two threads.
#include "builder/layer/async_sink.h"

#include "builder/base/thread_pool.h"

#include <algorithm>

namespace img {
namespace {

constexpr std::size_t kBufferSize = 512 << 10;
constexpr std::size_t kMostQueued = 4;

}  // namespace

AsyncSink::AsyncSink(Sink& next)
    : next_(next), thread_(start_thread([this](const std::stop_token&) { run(); })) {
  current_.reserve(kBufferSize);
}

AsyncSink::~AsyncSink() { stop(true); }

void AsyncSink::write(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kBufferSize - current_.size());
    current_.insert(current_.end(), bytes.begin(), bytes.begin() + count);
    bytes = bytes.subspan(count);
    if (current_.size() == kBufferSize) hand_over();
  }
}

void AsyncSink::finish() {
  hand_over();
  stop(false);
  if (error_) std::rethrow_exception(error_);
  next_.finish();
}

void AsyncSink::hand_over() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return error_ || queue_.size() < kMostQueued; });
  if (error_) std::rethrow_exception(error_);
  queue_.push_back(std::move(current_));
  current_ = Buffer();
  if (!spare_.empty()) {
    current_ = std::move(spare_.back());
    spare_.pop_back();
  }
  changed_.notify_all();
  lock.unlock();
  current_.clear();
  current_.reserve(kBufferSize);
}

void AsyncSink::stop(bool drop) {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    if (drop) queue_.clear();
    changed_.notify_all();
  }
  thread_.join();
}

void AsyncSink::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ended_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Buffer buffer = std::move(queue_.front());
    queue_.pop_front();
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr error;
    try {
      next_.write(buffer);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    if (error) {
      error_ = error;
      queue_.clear();
      changed_.notify_all();
      return;
    }
    spare_.push_back(std::move(buffer));
  }
}

}  // namespace img
