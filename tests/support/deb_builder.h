// SPDX-License-Identifier: Apache-2.0
// Any .deb, the legal and the hostile, member by member.
#pragma once

#include "tests/support/tar_blocks.h"
#include "tests/support/zip_builder.h"

#include <string>

namespace img::testing {

inline std::string spaced(std::string text, std::size_t width) {
  text.resize(width, ' ');
  return text;
}

/// One ar member with its padding. `size_field` replaces the true size.
inline std::string ar_member(const std::string& name, const std::string& body,
                             const std::string& size_field = "", const std::string& pad = "\n") {
  return spaced(name, 16) + spaced("0", 12) + spaced("0", 6) + spaced("0", 6) +
         spaced("100644", 8) +
         spaced(size_field.empty() ? std::to_string(body.size()) : size_field, 10) + "`\n" + body +
         (body.size() % 2 ? pad : "");
}

/// gzip member without name or date.
inline std::string gzipped(const std::string& plain) {
  return std::string("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10) + deflated(plain) +
         little(crc_of(plain), 4) + little(plain.size(), 4);
}

inline std::string control_tar(const std::string& control) {
  return tar_block({.name = "./", .type = '5'}) +
         tar_block({.name = "./control", .body = control}) + tar_end();
}

inline std::string control_text() {
  return "Package: demo\nVersion: 1:2.0-1\nArchitecture: amd64\nDescription: short\n long\n .\n "
         "end\n";
}

struct DebParts {
  std::string magic = "!<arch>\n";
  std::string version = ar_member("debian-binary", "2.0\n");
  std::string control = ar_member("control.tar.gz", gzipped(control_tar(control_text())));
  std::string data =
      ar_member("data.tar.gz", gzipped(tar_block({.name = "./usr/", .type = '5'}) +
                                       tar_block({.name = "./usr/x", .body = "hi"}) + tar_end()));
  std::string after = {};
};

inline std::string build_deb(const DebParts& parts) {
  return parts.magic + parts.version + parts.control + parts.data + parts.after;
}

}  // namespace img::testing
