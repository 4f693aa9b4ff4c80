// SPDX-License-Identifier: Apache-2.0
// Layers with random damage: read or refused, nothing else.
#include "tests/support/damage.h"

#include "builder/layer/layer_reader.h"
#include "tests/support/random_tree.h"
#include "tests/support/tar_blocks.h"

#include <gtest/gtest.h>
#include <zstd.h>

namespace img::testing {
namespace {

std::string sample_tar() {
  return tar_block({.name = "d/", .type = '5'}) +
         pax_block(pax_record("path", "d/" + std::string(120, 'n')) + pax_record("mtime", "1.5") +
                   pax_record("SCHILY.xattr.security.capability", "abc")) +
         tar_block({.name = "d/x", .body = std::string(700, 'b')}) +
         tar_block({.name = "././@LongLink", .type = 'L', .body = std::string(130, 'g')}) +
         tar_block({.name = "g", .body = "hi"}) + tar_block({.name = "d/.wh.gone"}) +
         tar_block({.name = "d/l", .type = '2', .link = "../x"}) +
         tar_block({.name = "d/f", .body = "f"}) +
         tar_block({.name = "d/h", .type = '1', .link = "d/f"}) + tar_end();
}

void read_whole(Source& plain) {
  read_tar(plain, "x.tar", [](const TarEntry&, Source& body) { read_all(body, 1 << 20, "body"); });
}

std::string zstd_of(const std::string& plain) {
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 3));
  return packed;
}

std::string gzip_of(const std::string& plain) {
  std::string trailer;
  const std::uint32_t crc = static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(plain.data()), plain.size()));
  for (int i = 0; i < 4; ++i) trailer.push_back(static_cast<char>(crc >> 8 * i));
  for (int i = 0; i < 4; ++i) trailer.push_back(static_cast<char>(plain.size() >> 8 * i));
  return std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) + deflate_bytes(plain) + trailer;
}

TEST(Damage, TarsAreReadOrRefused) {
  expect_clear_errors({sample_tar()}, 6000, "x.tar", [](const std::string& bytes) {
    ViewSource source(as_bytes(bytes));
    read_whole(source);
  });
}

/// A tar whose headers' checksums are true again after the damage, so that it gets past them.
TEST(Damage, TarsWithTrueChecksumsAreReadOrRefused) {
  expect_clear_errors({sample_tar()}, 6000, "x.tar", [](std::string bytes) {
    for (std::size_t at = 0; at + 512 <= bytes.size(); at += 512) {
      if (bytes.compare(at + 257, 5, "ustar") != 0) continue;
      std::string block = bytes.substr(at, 512);
      set_checksum(block);
      bytes.replace(at, 512, block);
    }
    ViewSource source(as_bytes(bytes));
    read_whole(source);
  });
}

TEST(Damage, CompressedLayersAreReadOrRefused) {
  for (const Compression compression : {Compression::gzip, Compression::zstd}) {
    const std::string sample =
        compression == Compression::gzip ? gzip_of(sample_tar()) : zstd_of(sample_tar());
    expect_clear_errors({sample}, 4000, "x.tar",
                        [&](const std::string& bytes) {
                          ViewSource source(as_bytes(bytes));
                          read_whole(*open_decompressed(source, compression));
                        },
                        {ExitCode::usage, ExitCode::integrity});  // checksums of gzip and zstd
  }
}

}  // namespace
}  // namespace img::testing
