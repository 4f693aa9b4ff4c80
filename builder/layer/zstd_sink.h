// SPDX-License-Identifier: Apache-2.0
// One zstd frame with the parameters of layer_format.h; worker threads never change its bytes.
#pragma once

#include "builder/base/stream.h"

#include <cstdint>
#include <memory>

namespace img {

class ZstdSink final : public Sink {
 public:
  /// `plain_size`: exactly how many bytes will be written (recorded in the frame header).
  /// `workers`: threads that compress, at least 1. `out` is not owned.
  ZstdSink(Sink& out, std::uint64_t plain_size, int workers);
  ~ZstdSink() override;

  void write(ByteView plain) override;
  /// Ends the frame; calls out.finish(). InternalError unless exactly plain_size bytes were
  /// written.
  void finish() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace img
