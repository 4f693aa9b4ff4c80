// SPDX-License-Identifier: Apache-2.0
// Raw inflate by ISA-L: the fastest streaming inflate that was measured, with bounded memory.
#include "builder/layer/inflate.h"

#include "builder/base/error.h"
#include "builder/base/text.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

namespace img {

std::uint32_t crc32_of(std::uint32_t crc, ByteView bytes) {
  return bytes.empty() ? crc : crc32_gzip_refl(crc, bytes.data(), bytes.size());
}

std::string describe(const DeflatedContent& content) {
  const std::string name =
      content.file_name ? *content.file_name : content.file->path().filename().string();
  return "deflate stream at byte " + std::to_string(content.offset) + " of '" + name + "'";
}

namespace {

std::string hex32(std::uint32_t value) {
  const std::uint8_t bytes[4] = {
      static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
      static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
  return to_hex(bytes);
}

[[noreturn]] void fail(const DeflatedContent& content, std::string what,
                       std::vector<ErrorDetail> details = {}) {
  throw IntegrityError(
      ErrorText{.message = describe(content) + " " + what, .details = std::move(details)});
}

std::string bytes_text(std::uint64_t count) { return with_commas(count) + " bytes"; }

}  // namespace

struct CheckedInflater::State {
  inflate_state isal;
  bool finished() const { return isal.block_state == ISAL_BLOCK_FINISH; }
  /// Bits that were fed but belong to nothing that was decoded yet.
  std::uint64_t unused_bits() const {
    return static_cast<std::uint64_t>(isal.read_in_length) +
           8 * (std::uint64_t{isal.avail_in} + static_cast<std::uint64_t>(isal.tmp_in_size));
  }
};

CheckedInflater::CheckedInflater(const DeflatedContent& content)
    : state_(new State), content_(content) {
  isal_inflate_init(&state_->isal);
}

CheckedInflater::~CheckedInflater() = default;

void CheckedInflater::feed(ByteView packed) {
  // ISA-L never writes through next_in; its type is not const.
  state_->isal.next_in = const_cast<std::uint8_t*>(packed.data());
  state_->isal.avail_in = static_cast<std::uint32_t>(packed.size());
  fed_ += packed.size();
}

std::size_t CheckedInflater::read(ByteSpan plain) {
  inflate_state& isal = state_->isal;
  if (!state_->finished()) {
    isal.next_out = plain.data();
    isal.avail_out = static_cast<std::uint32_t>(plain.size());
    const int result = isal_inflate(&isal);
    if (result < 0) fail(content_, "is broken: invalid deflate data");
    const std::size_t count = plain.size() - isal.avail_out;
    done_ += count;
    if (done_ > content_.size) {
      fail(content_, "yields more bytes than it should",
           {{.label = "expected", .value = bytes_text(content_.size)}});
    }
    crc_ = crc32_of(crc_, plain.first(count));
    if (count > 0) return count;
  }
  if (state_->finished() && state_->unused_bits() >= 8) {
    fail(content_, "ends before its packed size",
         {{.label = "expected", .value = bytes_text(content_.packed_size)},
          {.label = "got", .value = bytes_text(fed_ - state_->unused_bits() / 8)}});
  }
  return 0;
}

void CheckedInflater::check_end() const {
  if (!state_->finished()) fail(content_, "is truncated: its last block does not end");
  if (done_ != content_.size) {
    fail(content_, "yields fewer bytes than it should",
         {{.label = "expected", .value = bytes_text(content_.size)},
          {.label = "got", .value = bytes_text(done_)}});
  }
  if (fed_ != content_.packed_size) {
    fail(content_, "ends before its packed size",
         {{.label = "expected", .value = bytes_text(content_.packed_size)},
          {.label = "got", .value = bytes_text(fed_)}});
  }
  if (crc_ != content_.crc32) {
    fail(content_, "has another CRC-32 than it should",
         {{.label = "expected", .value = hex32(content_.crc32)},
          {.label = "got", .value = hex32(crc_)}});
  }
}

bool CheckedInflater::in_final_block() const { return state_->isal.bfinal != 0; }

bool CheckedInflater::is_block_start(std::uint64_t bit, bool was_final) const {
  const inflate_state& isal = state_->isal;
  const std::uint64_t position = 8 * fed_ - state_->unused_bits();
  // At most 8 bits of the header have been fed: too few for a dynamic or stored one, so ISA-L waits
  // in it.
  if (isal.block_state == ISAL_BLOCK_NEW_HDR || isal.block_state == ISAL_BLOCK_HDR) {
    return position == bit;
  }
  // A fixed header has 3 bits and the shortest fixed code 7: only the header can have been read.
  return isal.block_state == ISAL_BLOCK_CODED && !was_final && in_final_block() &&
         position == bit + 3;
}

std::uint64_t CheckedInflater::stream_bits() const { return 8 * fed_ - state_->unused_bits(); }

}  // namespace img
