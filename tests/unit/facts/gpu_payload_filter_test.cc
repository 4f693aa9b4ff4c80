// SPDX-License-Identifier: Apache-2.0
// Which bytes of a passing file are kept, in whatever pieces it comes.
#include "builder/facts/gpu_payload_filter.h"

#include <gtest/gtest.h>

#include <cstring>

namespace img {
namespace {

template <typename Number>
std::string bytes_of(Number value) {
  std::string text(sizeof(value), '\0');
  std::memcpy(text.data(), &value, sizeof(value));
  return text;
}

std::string entry(std::size_t payload, std::uint32_t header = 64) {
  std::string text = bytes_of<std::uint16_t>(2) + bytes_of<std::uint16_t>(0x0101) +
                     bytes_of(header) + bytes_of<std::uint64_t>(payload);
  text.resize(header, 'h');
  return text + std::string(payload, 'p');
}

std::string fat_binary(const std::string& entries) {
  return bytes_of<std::uint32_t>(0xBA55ED50) + bytes_of<std::uint16_t>(1) +
         bytes_of<std::uint16_t>(16) + bytes_of<std::uint64_t>(entries.size()) + entries;
}

/// The file with '.' where nothing was kept, given in pieces of `step` bytes.
std::string kept(const std::string& file, std::size_t step) {
  std::string result(file.size(), '.');
  std::uint64_t last = 0;
  GpuPayloadFilter filter([&](std::uint64_t offset, ByteView bytes) {
    EXPECT_GE(offset, last);
    last = offset + bytes.size();
    result.replace(offset, bytes.size(), as_text(bytes));
  });
  for (std::size_t at = 0; at < file.size(); at += step) {
    const std::string piece = file.substr(at, step);
    filter.write(as_bytes(piece));
  }
  filter.finish();
  EXPECT_EQ(filter.size(), file.size());
  return result;
}

std::string without_payloads(std::string file) {
  for (char& c : file) c = c == 'p' ? '.' : c;
  return file;
}

TEST(GpuPayloadFilter, LeavesOutPayloadsAndNothingElse) {
  const std::string file = std::string(40, 'a') +
                           fat_binary(entry(800) + entry(0) + entry(64, 120)) +
                           fat_binary(entry(1000)) + std::string(123, 'z');
  for (const std::size_t step : {1u, 3u, 7u, 16u, 64u, 100u, 1000u, 100000u}) {
    EXPECT_EQ(kept(file, step), without_payloads(file)) << step;
  }
}

TEST(GpuPayloadFilter, KeepsWhatDoesNotFitTheLayout) {
  std::string other = entry(100);
  other[2] = 'x';
  const std::string unaligned = std::string(4, 'a') + fat_binary(entry(100));
  std::string cut = fat_binary(entry(100));
  cut.resize(40);
  std::string too_long = fat_binary(entry(100));
  too_long[8] = 8;  // the container ends within its first entry
  too_long[9] = 0;
  for (const std::string& file : {fat_binary(other), unaligned, cut, too_long, std::string("x"),
                                  std::string(), fat_binary("")}) {
    for (const std::size_t step : {1u, 5u, 1000u}) EXPECT_EQ(kept(file, step), file);
  }
}

}  // namespace
}  // namespace img
