// SPDX-License-Identifier: Apache-2.0
// Tars made block by block, the wrong ones too.
#pragma once

#include "builder/layer/ustar.h"

#include <cstdio>
#include <cstring>
#include <string>

namespace img::testing {

struct TarBlock {
  std::string name;
  char type = '0';
  std::string body = {};
  std::string link = {};
  std::string size_field = {};  ///< instead of the body's size: 12 bytes
  std::string magic = std::string(
      "ustar\0"
      "00",
      8);
  std::string prefix = {};
  std::string mode_field = {};
};

inline std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512);
  return bytes;
}

inline std::string octal_field(unsigned long long value, int digits) {
  char text[32];
  std::snprintf(text, sizeof(text), "%0*llo", digits, value);
  return text;
}

inline void set_checksum(std::string& block) {
  block.replace(148, 8, 8, ' ');
  unsigned sum = 0;
  for (int i = 0; i < 512; ++i)
    sum += static_cast<unsigned char>(block[static_cast<std::size_t>(i)]);
  block.replace(148, 8, octal_field(sum, 6) + '\0' + ' ');
}

/// Header and padded body.
inline std::string tar_block(const TarBlock& what) {
  std::string block(512, '\0');
  const auto put = [&block](std::size_t at, std::size_t most, const std::string& text) {
    block.replace(at, std::min(most, text.size()), text, 0, std::min(most, text.size()));
  };
  put(0, 100, what.name);
  put(100, 8, what.mode_field.empty() ? "0000644" : what.mode_field);
  put(108, 8, "0000000");
  put(116, 8, "0000000");
  put(124, 12, what.size_field.empty() ? octal_field(what.body.size(), 11) : what.size_field);
  put(136, 12, "00000000000");
  block[156] = what.type;
  put(157, 100, what.link);
  put(257, 8, what.magic);
  put(329, 8, "0000000");
  put(337, 8, "0000000");
  put(345, 155, what.prefix);
  set_checksum(block);
  return block + padded(what.body);
}

inline std::string pax_record(const std::string& key, const std::string& value) {
  const std::size_t body = key.size() + value.size() + 3;
  std::size_t length = body + 1;
  while (std::to_string(length).size() + body != length) ++length;
  return std::to_string(length) + " " + key + "=" + value + "\n";
}

inline std::string pax_block(const std::string& records, char type = 'x') {
  return tar_block({.name = "PaxHeader", .type = type, .body = records});
}

inline std::string tar_end() { return std::string(1024, '\0'); }

}  // namespace img::testing
