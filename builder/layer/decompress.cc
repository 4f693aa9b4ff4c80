// SPDX-License-Identifier: Apache-2.0
// Opens packed layers: gzip through ISA-L, zstd through libzstd, both with any number of members.
#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/layer/inflate.h"
#include "builder/layer/layer_reader.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>

namespace img {
namespace {

constexpr std::size_t kPackedBuffer = 256 << 10;
constexpr std::size_t kHistory = 16;
constexpr int kMaxWindowLog = 27;

/// The packed bytes that have been read and not yet used. An inflater takes bytes into registers of
/// its own and gives those back that lie behind the end of its stream, also when they came with an
/// earlier buffer: so a few bytes before each buffer are kept where they belong.
class PackedInput {
 public:
  explicit PackedInput(Source& source) : source_(source), buffer_(kHistory + kPackedBuffer) {}
  /// False at the end of the source. Only when the rest is empty.
  bool refill() {
    check_interrupt();
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(end_ - kHistory),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    const std::size_t count = source_.read(ByteSpan(buffer_).subspan(kHistory));
    end_ = kHistory + count;
    taken_ += count;
    rest_ = ByteView(buffer_).subspan(kHistory, count);
    return count != 0;
  }
  ByteView rest() const { return rest_; }
  void keep_last(std::size_t count) {
    if (count > rest_.size() + kHistory || count > taken_) {
      throw InputError("packed data is broken: it ends before it begins");
    }
    rest_ = ByteView(buffer_).subspan(end_ - count, count);
  }

 private:
  Source& source_;
  std::vector<std::uint8_t> buffer_;
  std::size_t end_ = kHistory;  ///< of what the buffer holds
  std::uint64_t taken_ = 0;     ///< bytes of the source so far
  ByteView rest_;
};

/// ISA-L would read headers by itself (ISAL_GZIP), but it forgets the flags of a header that is
/// split over two buffers; a header struct that stays keeps them.
class GzipSource final : public Source {
 public:
  explicit GzipSource(Source& packed) : input_(packed), state_(new inflate_state) {
    isal_inflate_init(state_.get());
  }

  std::size_t read(ByteSpan buffer) override {
    while (true) {
      if (input_.rest().empty() && !input_.refill()) {
        at_end_ = true;
        if (in_member_) return drain(buffer);
        if (members_ == 0) throw InputError("gzip data is empty");
        return 0;
      }
      if (const std::size_t count = step(buffer)) return count;
    }
  }

 private:
  /// All input is used up; the inflater may still hold plain bytes.
  std::size_t drain(ByteSpan buffer) {
    const std::size_t count = step(buffer);
    if (count == 0 && in_member_) throw InputError("gzip data is truncated");
    return count;
  }

  std::size_t step(ByteSpan buffer) {
    if (!in_member_ && !at_end_) begin_member();
    state_->next_in = const_cast<std::uint8_t*>(input_.rest().data());
    state_->avail_in = static_cast<std::uint32_t>(input_.rest().size());
    if (in_header_ && !read_header()) return 0;
    state_->next_out = buffer.data();
    state_->avail_out = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.size(), 1u << 30));
    const std::uint32_t room = state_->avail_out;
    const int result = isal_inflate(state_.get());
    if (result < 0) fail(result);
    input_.keep_last(state_->avail_in);
    if (state_->block_state == ISAL_BLOCK_FINISH) in_member_ = false;
    return room - state_->avail_out;
  }

  void begin_member() {
    isal_inflate_reset(state_.get());
    state_->crc_flag = ISAL_GZIP_NO_HDR_VER;
    header_ = isal_gzip_header{};
    in_member_ = true;
    in_header_ = true;
    ++members_;
  }

  /// Whether the header ends in what there is of it.
  bool read_header() {
    const int result = isal_read_gzip_header(state_.get(), &header_);
    if (result < 0) fail(result);
    input_.keep_last(state_->avail_in);
    in_header_ = result != ISAL_DECOMP_OK;
    return !in_header_;
  }

  [[noreturn]] void fail(int result) const {
    if (result == ISAL_INCORRECT_CHECKSUM) {
      throw IntegrityError("gzip data does not have the checksum that its trailer states");
    }
    if (result == ISAL_INVALID_WRAPPER || result == ISAL_UNSUPPORTED_METHOD) {
      throw InputError(members_ > 1 ? "gzip data is followed by bytes that are no gzip member"
                                    : "gzip data has no gzip header");
    }
    throw InputError("gzip data is broken: invalid deflate data");
  }

  PackedInput input_;
  std::unique_ptr<inflate_state> state_;
  isal_gzip_header header_{};
  std::uint64_t members_ = 0;
  bool in_member_ = false;
  bool in_header_ = false;  ///< of the member
  bool at_end_ = false;
};

class ZstdSource final : public Source {
 public:
  explicit ZstdSource(Source& packed) : input_(packed), context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
  }

  std::size_t read(ByteSpan buffer) override {
    while (true) {
      const bool ended = input_.rest().empty() && !input_.refill();
      if (ended && !in_frame_) {
        if (frames_ == 0) throw InputError("zstd data is empty");
        return 0;
      }
      ZSTD_inBuffer input{input_.rest().data(), input_.rest().size(), 0};
      ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
      if (!in_frame_) ++frames_;
      const std::size_t left = ZSTD_decompressStream(context_.get(), &output, &input);
      if (ZSTD_isError(left) != 0) fail(left);
      in_frame_ = left != 0;
      input_.keep_last(input.size - input.pos);
      if (output.pos > 0) return output.pos;
      if (ended && in_frame_) throw InputError("zstd data is truncated");
    }
  }

 private:
  [[noreturn]] void fail(std::size_t code) const {
    if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    const std::string name = ZSTD_getErrorName(code);
    throw InputError(frames_ > 1 ? "zstd data is followed by a broken frame: " + name
                                 : "zstd data is broken: " + name);
  }

  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  PackedInput input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  std::uint64_t frames_ = 0;
  bool in_frame_ = false;
};

class PlainSource final : public Source {
 public:
  explicit PlainSource(Source& packed) : packed_(packed) {}
  std::size_t read(ByteSpan buffer) override { return packed_.read(buffer); }

 private:
  Source& packed_;
};

}  // namespace

std::unique_ptr<Source> open_decompressed(Source& packed, Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return std::make_unique<GzipSource>(packed);
    case Compression::zstd:
      return std::make_unique<ZstdSource>(packed);
    case Compression::none:
      return std::make_unique<PlainSource>(packed);
  }
  throw InternalError("unknown compression");
}

}  // namespace img
