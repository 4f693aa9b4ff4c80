// SPDX-License-Identifier: Apache-2.0
// Joins glue, spliced streams and packed files into one gzip member.
#include "builder/layer/gzip_splice.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/layer/deflate_tail.h"
#include "builder/layer/fixed_huffman.h"
#include "builder/layer/inflate.h"
#include "builder/layer/layer_format.h"

#include <zlib.h>

#include <array>
#include <new>

namespace img {
namespace {

// ID1 ID2 CM FLG MTIME×4 XFL OS: nothing said about time, name or origin.
constexpr std::array<std::uint8_t, 10> kHeader = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
constexpr std::size_t kDrainAt = 256 << 10;

/// zlib's deflate with raw output; one stream at a time.
class Packer {
 public:
  Packer() {
    constexpr int kMemoryLevel = 8;
    if (deflateInit2(&stream_, kDeflateLevel, Z_DEFLATED, -MAX_WBITS, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() { deflateEnd(&stream_); }

  bool is_open() const { return open_; }

  void write(ByteView plain, BitWriter& out) {
    open_ = true;
    run(plain, Z_NO_FLUSH, out);
  }

  /// Ends on a byte boundary, in no final block; what follows owes nothing to what was before.
  void close(BitWriter& out) {
    if (!open_) return;
    run({}, Z_SYNC_FLUSH, out);
    deflateReset(&stream_);
    open_ = false;
  }

 private:
  void run(ByteView plain, int flush, BitWriter& out) {
    stream_.next_in = const_cast<Bytef*>(plain.data());
    stream_.avail_in = static_cast<uInt>(plain.size());
    do {
      stream_.next_out = buffer_.data();
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      ::deflate(&stream_, flush);
      out.append(ByteView(buffer_).first(buffer_.size() - stream_.avail_out));
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::array<std::uint8_t, 64 << 10> buffer_;
  bool open_ = false;
};

}  // namespace

struct GzipSpliceSink::State {
  explicit State(Sink& sink) : out(sink) {}

  Sink& out;
  BitWriter bits;
  FixedHuffmanEncoder encoder{bits};
  Packer packer;
  DeflatePass pass;
  std::vector<std::uint8_t> buffer = std::vector<std::uint8_t>(256 << 10);
  std::uint32_t crc = 0;
  std::uint64_t plain_bytes = 0;

  void drain_when_large() {
    if (bits.size() >= kDrainAt) bits.drain(out);
  }

  void count(ByteView plain) {
    crc = crc32_of(crc, plain);
    plain_bytes += plain.size();
  }

  /// An empty stored block ends on a byte boundary.
  void align() {
    encoder.close();
    packer.close(bits);
    if (bits.is_aligned()) return;
    bits.put(0, 3);
    bits.align();
    bits.append(std::array<std::uint8_t, 4>{0x00, 0x00, 0xff, 0xff});
  }

  void take(const PackedChunk& chunk) {
    ByteSpan bytes = chunk.bytes;
    const std::uint64_t mark = chunk.last_block_bit / 8;
    if (mark >= chunk.offset && mark < chunk.offset + bytes.size()) {
      bytes[mark - chunk.offset] &= static_cast<std::uint8_t>(~(1u << chunk.last_block_bit % 8));
    }
    if (!chunk.stream_bits || *chunk.stream_bits % 8 == 0) {
      out.write(bytes);
      return;
    }
    // The next block begins in the last byte, in the bits after the stream.
    const unsigned used = *chunk.stream_bits % 8;
    out.write(bytes.first(bytes.size() - 1));
    bits.put(bytes.back() & ((1u << used) - 1), used);
  }
};

GzipSpliceSink::GzipSpliceSink(Sink& out) : state_(std::make_unique<State>(out)) {
  state_->bits.append(kHeader);
}

GzipSpliceSink::~GzipSpliceSink() = default;

void GzipSpliceSink::glue(ByteView bytes) {
  State& state = *state_;
  if (state.packer.is_open()) {
    state.packer.write(bytes, state.bits);
  } else {
    state.encoder.encode(bytes, state.plain_bytes);
  }
  state.count(bytes);
  state.drain_when_large();
}

void GzipSpliceSink::pack(Source& plain, const OnPlain& on_plain) {
  State& state = *state_;
  if (!state.packer.is_open()) state.align();
  while (const std::size_t count = plain.read(state.buffer)) {
    check_interrupt();
    const ByteView bytes = ByteView(state.buffer).first(count);
    on_plain(bytes);
    state.packer.write(bytes, state.bits);
    state.count(bytes);
    state.drain_when_large();
  }
}

void GzipSpliceSink::splice(const DeflatedContent& content, const OnPlain& on_plain) {
  State& state = *state_;
  state.align();
  state.bits.drain(state.out);
  state.pass.run(content, on_plain, [&state](const PackedChunk& chunk) { state.take(chunk); });
  state.crc = static_cast<std::uint32_t>(
      crc32_combine(state.crc, content.crc32, static_cast<z_off_t>(content.size)));
  state.plain_bytes += content.size;
}

void GzipSpliceSink::finish() {
  State& state = *state_;
  state.encoder.close();
  state.packer.close(state.bits);
  state.bits.put(0b011, 3);  // final, fixed codes
  state.bits.put(0, 7);      // end of block
  state.bits.align();
  const auto put_word = [&state](std::uint32_t word) {
    state.bits.put(word & 0xffff, 16);
    state.bits.put(word >> 16, 16);
  };
  put_word(state.crc);
  put_word(static_cast<std::uint32_t>(state.plain_bytes));
  state.bits.drain(state.out);
  state.out.finish();
}

}  // namespace img
