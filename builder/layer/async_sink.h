// SPDX-License-Identifier: Apache-2.0
// Hands what is written to a thread of its own, which writes it to the next sink.
#pragma once

#include "builder/base/stream.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace img {

/// `next` (not owned) is used by the other thread until finish() returns; it sees the same bytes in
/// the same order. What it throws is thrown by a later write() or by finish(). Destroyed
/// unfinished, the rest is dropped. Holds at most a few MiB.
class AsyncSink final : public Sink {
 public:
  explicit AsyncSink(Sink& next);
  ~AsyncSink() override;

  void write(ByteView bytes) override;
  /// Waits for the thread, then calls next.finish() on the caller's.
  void finish() override;

 private:
  using Buffer = std::vector<std::uint8_t>;
  void hand_over();
  void run();
  void stop(bool drop);

  Sink& next_;
  Buffer current_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Buffer> queue_;
  std::vector<Buffer> spare_;
  bool ended_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace img
