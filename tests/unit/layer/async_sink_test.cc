// SPDX-License-Identifier: Apache-2.0
// AsyncSink: order, errors of the other side, early ends.
#include "builder/layer/async_sink.h"

#include "builder/base/error.h"

#include <gtest/gtest.h>

namespace img {
namespace {

TEST(AsyncSink, PassesBytesOnInOrder) {
  StringSink out;
  AsyncSink sink(out);
  std::string expected;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::string piece(i, static_cast<char>(i));
    sink.write(as_bytes(piece));
    expected += piece;
  }
  sink.finish();
  EXPECT_TRUE(out.text() == expected);
}

TEST(AsyncSink, FinishesTheNextSink) {
  class Finished final : public Sink {
   public:
    void write(ByteView) override {}
    void finish() override { ++count; }
    int count = 0;
  };
  Finished out;
  AsyncSink sink(out);
  sink.finish();
  EXPECT_EQ(out.count, 1);
}

class FullDisk final : public Sink {
 public:
  void write(ByteView) override { throw SystemError(28, "cannot write 'x'"); }
};

TEST(AsyncSink, ErrorReachesTheWriter) {
  FullDisk disk;
  AsyncSink sink(disk);
  const std::string piece(1 << 20, 'x');
  EXPECT_THROW(
      {
        while (true) sink.write(as_bytes(piece));
      },
      SystemError);
}

TEST(AsyncSink, ErrorReachesFinish) {
  FullDisk disk;
  AsyncSink sink(disk);
  sink.write(as_bytes("x"));
  EXPECT_THROW(sink.finish(), SystemError);
}

TEST(AsyncSink, UnfinishedSinkStops) {
  StringSink out;
  AsyncSink sink(out);
  sink.write(as_bytes(std::string(5 << 20, 'x')));
}

}  // namespace
}  // namespace img
