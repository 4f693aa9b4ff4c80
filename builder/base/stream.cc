// SPDX-License-Identifier: Apache-2.0
// Moves bytes from sources to sinks.
#include "builder/base/stream.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/base/text.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace img {
namespace {

constexpr std::size_t kChunk = 256 * 1024;

}  // namespace

std::size_t ViewSource::read(ByteSpan buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  if (count > 0) std::memcpy(buffer.data(), rest_.data(), count);
  rest_ = rest_.subspan(count);
  return count;
}

std::size_t read_full(Source& source, ByteSpan buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const std::size_t count = source.read(buffer.subspan(done));
    if (count == 0) break;
    done += count;
  }
  return done;
}

std::uint64_t copy(Source& from, Sink& to) {
  std::vector<std::uint8_t> buffer(kChunk);
  std::uint64_t total = 0;
  while (const std::size_t count = from.read(buffer)) {
    check_interrupt();
    to.write(ByteView(buffer).first(count));
    total += count;
  }
  return total;
}

std::string read_all(Source& source, std::uint64_t limit, std::string_view what) {
  std::vector<std::uint8_t> buffer(64 * 1024);
  std::string text;
  while (const std::size_t count = source.read(buffer)) {
    if (count > limit - text.size()) {
      throw InputError(ErrorText{std::string(what) + " is larger than allowed",
                                 {{"limit", with_commas(limit) + " bytes"}}});
    }
    text.append(as_text(ByteView(buffer).first(count)));
  }
  return text;
}

}  // namespace img
