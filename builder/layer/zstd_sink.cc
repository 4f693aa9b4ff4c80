// SPDX-License-Identifier: Apache-2.0
// libzstd in its multi-threaded mode, which has other bytes than the single-threaded one but the
// same for any number of workers.
#include "builder/layer/zstd_sink.h"

#include "builder/base/error.h"
#include "builder/layer/layer_format.h"

#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <new>
#include <vector>

namespace img {
namespace {

constexpr int kMaxWorkers = 64;

std::size_t checked(std::size_t result, const char* what) {
  if (ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
  if (ZSTD_isError(result) != 0) {
    throw InternalError(std::string("zstd: ") + what + ": " + ZSTD_getErrorName(result));
  }
  return result;
}

}  // namespace

struct ZstdSink::State {
  State(Sink& sink, std::uint64_t plain_size, int workers)
      : out(sink), buffer(ZSTD_CStreamOutSize()), context(ZSTD_createCCtx()) {
    if (context == nullptr) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, kZstdLevel);
    set(ZSTD_c_windowLog, kZstdWindowLog);
    set(ZSTD_c_checksumFlag, 0);
    set_workers(std::clamp(workers, 1, kMaxWorkers));
    set(ZSTD_c_jobSize, kZstdJobBytes);
    checked(ZSTD_CCtx_setPledgedSrcSize(context, plain_size), "pledged size");
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { ZSTD_freeCCtx(context); }

  void set(ZSTD_cParameter parameter, int value) {
    checked(ZSTD_CCtx_setParameter(context, parameter, value), "parameter");
  }

  /// A library that was built without threads knows the parameter and takes nothing but 0.
  void set_workers(int workers) {
    const std::size_t result = ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, workers);
    if (ZSTD_getErrorCode(result) == ZSTD_error_parameter_unsupported) {
      throw UnavailableError(ErrorText{
          .message = "the linked zstd " + std::string(ZSTD_versionString()) +
                     " was built without threads, which write other bytes",
          .hint = "link this program with Debian 12's libzstd.so.1 (ci/setup, ci/build)"});
    }
    checked(result, "workers");
  }

  /// Returns what is left to be done, as zstd says it.
  std::size_t step(ZSTD_inBuffer& input, ZSTD_EndDirective directive) {
    ZSTD_outBuffer output{buffer.data(), buffer.size(), 0};
    const std::size_t left =
        checked(ZSTD_compressStream2(context, &output, &input, directive), "compress");
    if (output.pos > 0) out.write(ByteView(buffer).first(output.pos));
    return left;
  }

  Sink& out;
  std::vector<std::uint8_t> buffer;
  ZSTD_CCtx* context;
};

ZstdSink::ZstdSink(Sink& out, std::uint64_t plain_size, int workers)
    : state_(std::make_unique<State>(out, plain_size, workers)) {}

ZstdSink::~ZstdSink() = default;

void ZstdSink::write(ByteView plain) {
  ZSTD_inBuffer input{plain.data(), plain.size(), 0};
  while (input.pos < input.size) state_->step(input, ZSTD_e_continue);
}

void ZstdSink::finish() {
  ZSTD_inBuffer input{nullptr, 0, 0};
  while (state_->step(input, ZSTD_e_end) > 0) {
  }
  state_->out.finish();
}

}  // namespace img
