// SPDX-License-Identifier: Apache-2.0
// Reads a source on a thread of its own, a few buffers ahead of its reader.
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

/// `source` (not owned) is used by the other thread until this is destroyed. What it throws is
/// thrown by the read() that comes to that place. Holds at most a few MiB.
class ReadAhead final : public Source {
 public:
  explicit ReadAhead(Source& source);
  ~ReadAhead() override;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  std::size_t read(ByteSpan buffer) override;

 private:
  using Buffer = std::vector<std::uint8_t>;
  void run(const std::stop_token& stop);
  bool next_buffer();

  Source& source_;
  Buffer current_;
  ByteView rest_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Buffer> queue_;
  std::vector<Buffer> spare_;
  bool ended_ = false;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace img
