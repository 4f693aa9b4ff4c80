// SPDX-License-Identifier: Apache-2.0
// Names the output format and proves that the linked codecs still write it.
#include "builder/layer/layer_format.h"

#include "builder/base/error.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/layer/gzip_splice.h"
#include "builder/layer/zstd_sink.h"

#include <zlib.h>
#include <zstd.h>

#include <mutex>

namespace img {
namespace {

constexpr std::size_t kSampleBytes = 300'000;
constexpr std::string_view kFrozenGzip =
    "cc847b4f29e588af407f209c864b1bb7e5484b4eb538878c218184a0f9786645";
constexpr std::string_view kFrozenZstd =
    "d0a10512df986d6553087996cdf02b96f5e3b8ce3a33bf4c8bb2ccb9221b97d9";

/// Words, numbers, zeros and noise from a small generator that never changes.
std::string codec_sample() {
  static constexpr std::string_view kWords[] = {"import ",
                                                "torch",
                                                ".nn",
                                                "\n    ",
                                                "return ",
                                                "self",
                                                "(x)",
                                                " = ",
                                                "0.5",
                                                "#include ",
                                                "const ",
                                                "std::",
                                                "\x7f"
                                                "ELF",
                                                "\n",
                                                "def "};
  std::string sample;
  std::uint32_t state = 1;
  while (sample.size() < kSampleBytes) {
    state = state * 1664525u + 1013904223u;
    const std::uint32_t dice = state >> 24;
    if (dice < 200) {
      sample += kWords[dice % std::size(kWords)];
    } else if (dice < 230) {
      sample.append(dice - 199, '\0');
    } else {
      for (int shift = 0; shift < 32; shift += 8) sample += static_cast<char>(state >> shift);
    }
  }
  return sample;
}

std::string gzip_of(const std::string& sample) {
  constexpr std::size_t kGlue = 4096;
  StringSink out;
  GzipSpliceSink gzip(out);
  gzip.glue(as_bytes(sample).first(kGlue));
  ViewSource rest(as_bytes(sample).subspan(kGlue));
  gzip.pack(rest, [](ByteView) {});
  gzip.finish();
  return out.take();
}

std::string zstd_of(const std::string& sample) {
  StringSink out;
  ZstdSink zstd(out, sample.size(), 1);
  zstd.write(as_bytes(sample));
  zstd.finish();
  return out.take();
}

void require_frozen(const std::string& packed, std::string_view frozen,
                    const std::string& library) {
  const std::string got = to_hex(sha256(packed));
  if (got == frozen) return;
  throw UnavailableError(ErrorText{
      .message = "the linked " + library + " does not write the bytes of output format " +
                 std::to_string(kOutputVersion),
      .details = {{.label = "expected",
                   .value = "sha256:" + std::string(frozen),
                   .origin = "packed sample of this output format"},
                  {.label = "got", .value = "sha256:" + got, .origin = library}},
      .hint = "build this program with the codec versions of Debian 12 (ci/setup, ci/build)"});
}

}  // namespace

std::string output_format() {
  return std::to_string(kOutputVersion) + ";zstd=" + ZSTD_versionString() + ":" +
         std::to_string(kZstdLevel) + ":" + std::to_string(kZstdWindowLog) + ":" +
         std::to_string(kZstdJobBytes) + ";deflate=zlib-" + zlibVersion() + ":" +
         std::to_string(kDeflateLevel) + ";mtime=" + std::to_string(kEntryMtime);
}

void require_frozen_codecs() {
  static std::once_flag once;
  std::call_once(once, [] {
    const std::string sample = codec_sample();
    require_frozen(gzip_of(sample), kFrozenGzip, std::string("zlib ") + zlibVersion());
    require_frozen(zstd_of(sample), kFrozenZstd, std::string("zstd ") + ZSTD_versionString());
  });
}

}  // namespace img
