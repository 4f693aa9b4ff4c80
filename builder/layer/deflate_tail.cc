// SPDX-License-Identifier: Apache-2.0
// Searches, walks and proves the last block of deflate streams.
#include "builder/layer/deflate_tail.h"

#include "builder/base/error.h"
#include "builder/base/interrupt.h"
#include "builder/layer/deflate_chain.h"
#include "builder/layer/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <new>

namespace img {
namespace {

constexpr std::size_t kWindow = 32 << 10;

/// zlib's raw inflate, for the rare ways only.
class ZlibInflate {
 public:
  ZlibInflate() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ZlibInflate(const ZlibInflate&) = delete;
  ZlibInflate& operator=(const ZlibInflate&) = delete;
  ~ZlibInflate() { inflateEnd(&stream_); }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
};

/// Whether the last block, decoded with the plain bytes before it as window, yields the plain
/// bytes.
bool reproduces(ByteView packed_tail, const ChainEnd& end, ByteView plain_tail) {
  if (end.last_block_plain > plain_tail.size()) return false;
  const ByteView expected = plain_tail.last(end.last_block_plain);
  const ByteView before = plain_tail.first(plain_tail.size() - expected.size());
  const ByteView window = before.last(std::min(before.size(), kWindow));
  ZlibInflate inflate;
  z_stream& stream = inflate.stream();
  inflateSetDictionary(&stream, window.data(), static_cast<uInt>(window.size()));
  std::size_t first = end.last_block_bit / 8;
  if (const int skip = end.last_block_bit % 8; skip != 0) {
    inflatePrime(&stream, 8 - skip, packed_tail[first++] >> skip);
  }
  std::vector<std::uint8_t> plain(expected.size() + 1);
  stream.next_in = const_cast<Bytef*>(packed_tail.data() + first);
  stream.avail_in = static_cast<uInt>(packed_tail.size() - first);
  stream.next_out = plain.data();
  stream.avail_out = static_cast<uInt>(plain.size());
  return ::inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0 &&
         stream.avail_out == 1 && std::equal(expected.begin(), expected.end(), plain.begin());
}

bool ends_in_last_byte(const DeflateChain& chain, const ChainEnd& end) {
  return end.end_bit + 8 > chain.bits();
}

std::optional<ChainEnd> search(DeflateChain& chain, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t bit = from; bit < to; ++bit) {
    if (!chain.may_be_dynamic(bit)) continue;
    const std::optional<ChainEnd> end = chain.follow(bit);
    if (end && ends_in_last_byte(chain, *end)) return end;
  }
  return std::nullopt;
}

std::optional<ChainEnd> search_tail(DeflateChain& chain, bool is_whole_stream) {
  if (is_whole_stream) return chain.follow(0);
  const std::uint64_t window = 8 * std::uint64_t{kTailWindow};
  const std::uint64_t middle = chain.bits() > window ? chain.bits() - window : 0;
  if (const auto end = search(chain, middle, chain.bits())) return end;
  return search(chain, 0, middle);
}

/// Where the last block probably begins.
std::uint64_t guess_last_block(const DeflatedContent& content) {
  if (content.last_block_bit && *content.last_block_bit / 8 < content.packed_size) {
    return *content.last_block_bit;
  }
  std::vector<std::uint8_t> tail(std::min<std::uint64_t>(kTailMost, content.packed_size));
  content.file->read_exactly_at(content.offset + content.packed_size - tail.size(), tail);
  if (const auto bit = find_last_block(tail, content.packed_size)) return *bit;
  return last_block_by_walking(content);
}

}  // namespace

std::optional<std::uint64_t> find_last_block(ByteView packed_tail, std::uint64_t packed_size,
                                             ByteView plain_tail) {
  const bool is_whole_stream = packed_tail.size() == packed_size;
  const ByteView tail = packed_tail.last(std::min(packed_tail.size(), kTailMost));
  DeflateChain chain(is_whole_stream ? packed_tail : tail);
  const std::optional<ChainEnd> end = search_tail(chain, is_whole_stream);
  if (!end || !ends_in_last_byte(chain, *end)) return std::nullopt;
  if (!plain_tail.empty() && !reproduces(is_whole_stream ? packed_tail : tail, *end, plain_tail)) {
    return std::nullopt;
  }
  return 8 * packed_size - chain.bits() + end->last_block_bit;
}

std::uint64_t last_block_by_walking(const DeflatedContent& content) {
  ZlibInflate inflate;
  z_stream& stream = inflate.stream();
  std::vector<std::uint8_t> packed(256 << 10), plain(256 << 10);
  std::uint64_t fed = 0, header = 0;
  while (true) {
    const std::uint64_t left = content.packed_size - fed;
    if (stream.avail_in == 0 && left > 0) {
      const ByteSpan chunk = ByteSpan(packed).first(std::min<std::uint64_t>(left, packed.size()));
      content.file->read_exactly_at(content.offset + fed, chunk);
      fed += chunk.size();
      stream.next_in = chunk.data();
      stream.avail_in = static_cast<uInt>(chunk.size());
      check_interrupt();
    }
    stream.next_out = plain.data();
    stream.avail_out = static_cast<uInt>(plain.size());
    const int result = ::inflate(&stream, Z_BLOCK);
    if (result == Z_STREAM_END) return header;
    // With room for output it is input that is missing.
    if (result == Z_BUF_ERROR && stream.avail_in == 0 && fed == content.packed_size) {
      throw IntegrityError(describe(content) + " is truncated: its last block does not end");
    }
    if (result != Z_OK && result != Z_BUF_ERROR) {
      throw IntegrityError(describe(content) + " is broken: invalid deflate data");
    }
    const bool at_block_end = (stream.data_type & 128) != 0 && (stream.data_type & 64) == 0;
    if (at_block_end) header = 8 * (fed - stream.avail_in) - (stream.data_type & 7);
  }
}

DeflatePass::DeflatePass() : packed_(kIoBuffer), plain_(kIoBuffer) {}

void DeflatePass::inflate(CheckedInflater& inflater, ByteView packed, const OnPlain& on_plain) {
  inflater.feed(packed);
  while (const std::size_t count = inflater.read(plain_)) on_plain(ByteView(plain_).first(count));
}

/// Inflates up to the byte that holds `bit`, the last of `packed`; whether a final block starts
/// there.
bool DeflatePass::inflate_to_last_block(CheckedInflater& inflater, ByteView packed,
                                        std::uint64_t bit, const OnPlain& on_plain) {
  inflate(inflater, packed.first(packed.size() - 1), on_plain);
  const bool was_final = inflater.in_final_block();
  inflate(inflater, packed.last(1), on_plain);
  const bool has_final_bit = (packed.back() >> bit % 8 & 1) != 0;
  return has_final_bit && inflater.is_block_start(bit, was_final);
}

DeflateEnd DeflatePass::run(const DeflatedContent& content, const OnPlain& on_plain,
                            const OnPacked& on_packed) {
  CheckedInflater inflater(content);
  const std::uint64_t size = content.packed_size;
  // The tail that is searched is one chunk, so that a wrong guess can still be put right before it
  // is given out.
  const std::uint64_t tail = size > kTailMost ? size - kTailMost : 0;
  DeflateEnd end{.last_block_bit = guess_last_block(content)};
  for (std::uint64_t offset = 0; offset < size;) {
    check_interrupt();
    const std::uint64_t limit = (offset < tail ? tail : size) - offset;
    const ByteSpan chunk = ByteSpan(packed_).first(std::min<std::uint64_t>(packed_.size(), limit));
    content.file->read_exactly_at(content.offset + offset, chunk);
    ByteView rest = chunk;
    if (const std::uint64_t mark = end.last_block_bit / 8;
        mark >= offset && mark < offset + chunk.size()) {
      rest = chunk.subspan(mark + 1 - offset);
      const ByteView first = chunk.first(chunk.size() - rest.size());
      if (!inflate_to_last_block(inflater, first, end.last_block_bit, on_plain)) {
        end.last_block_bit = last_block_by_walking(content);
        if (end.last_block_bit / 8 < offset) {
          throw IntegrityError(describe(content) +
                               " does not have its last block where it was found");
        }
      }
    }
    inflate(inflater, rest, on_plain);
    PackedChunk given{.bytes = chunk, .offset = offset, .last_block_bit = end.last_block_bit};
    offset += chunk.size();
    if (offset == size) {
      inflater.check_end();
      given.stream_bits = end.stream_bits = inflater.stream_bits();
    }
    if (on_packed) on_packed(given);
  }
  inflater.check_end();
  return end;
}

}  // namespace img
