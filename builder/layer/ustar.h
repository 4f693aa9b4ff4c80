// SPDX-License-Identifier: Apache-2.0
// The 512-byte header block of POSIX ustar, shared by writer and reader.
#pragma once

#include <string_view>

namespace img {

struct UstarHeader {
  char name[100];
  char mode[8];
  char uid[8];
  char gid[8];
  char size[12];
  char mtime[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char uname[32];
  char gname[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char unused[12];
};
static_assert(sizeof(UstarHeader) == 512);

inline constexpr std::string_view kUstarMagic{"ustar\0", 6};

inline std::string_view header_text(const UstarHeader& header) {
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

}  // namespace img
