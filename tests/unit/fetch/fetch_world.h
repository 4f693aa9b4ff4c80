// SPDX-License-Identifier: Apache-2.0
// A store in a temporary folder, small files to want, and what calls throw.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "builder/fetch/fetch.h"
#include "builder/fetch/store.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace img::test {

/// The rendered error of kind `Expected` that `body` throws; other kinds pass through.
template <typename Expected, typename Body>
std::string error_of(Body&& body) {
  try {
    body();
  } catch (const Expected& error) {
    return error.render();
  }
  return "nothing was thrown";
}

/// Every occurrence of `what` in `text` replaced.
inline std::string with(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
  return text;
}

/// A folder whose content may be read by other users, for tests that become one.
struct Scratch {
  TempDir folder{fs::temp_directory_path(), "fetch-test-"};
  fs::path path = folder.path();
  Scratch() { ::chmod(path.c_str(), 0755); }
  fs::path operator/(const std::string& name) const { return path / name; }
};

/// Becomes a user that may not write to `folder`, until the end of the scope.
class ReadOnlyFolder {
 public:
  explicit ReadOnlyFolder(fs::path folder) : folder_(std::move(folder)) {
    set_modes(0555);
    if (::geteuid() == 0) became_other_ = ::seteuid(65534) == 0;
  }
  ~ReadOnlyFolder() {
    if (became_other_ && ::seteuid(0) != 0) std::abort();
    set_modes(0755);
  }

 private:
  void set_modes(mode_t mode) {
    ::chmod(folder_.c_str(), mode);
    for (const auto& entry : fs::recursive_directory_iterator(folder_)) {
      if (entry.is_directory()) ::chmod(entry.path().c_str(), mode);
    }
  }
  fs::path folder_;
  bool became_other_ = false;
};

inline void put_file(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

inline Digest put_blob(Store& store, const std::string& text) {
  const Digest digest = Digest::of(text);
  const auto writer = store.writer();
  writer->write(as_bytes(text));
  writer->finish();
  writer->commit(digest);
  return digest;
}

inline std::string blob_text(const Store& store, const Digest& digest) {
  const auto source = store.open(digest);
  return read_all(*source, 1 << 24, "blob");
}

/// Bytes that no two lengths or seeds share.
inline std::string noise(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  std::uint32_t state = seed * 2654435761u + 12345u;
  for (char& c : text) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return text;
}

// ---- wheels

inline std::uint32_t crc_of(const std::string& text) {
  std::uint32_t crc = 0xffffffffu;
  for (const char c : text) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  }
  return ~crc;
}

inline std::string little_endian(std::uint32_t number, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
  return text;
}

/// A zip of stored members.
inline std::string stored_zip(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string zip;
  std::string directory;
  for (const auto& [name, text] : members) {
    const std::string common =
        little_endian(20, 2) + little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 2) +
        little_endian(33, 2) + little_endian(crc_of(text), 4) +
        little_endian(static_cast<std::uint32_t>(text.size()), 4) +
        little_endian(static_cast<std::uint32_t>(text.size()), 4) +
        little_endian(static_cast<std::uint32_t>(name.size()), 2) + little_endian(0, 2);
    directory += "PK\x01\x02" + little_endian(0x314, 2) + common + little_endian(0, 2) +
                 little_endian(0, 2) + little_endian(0, 2) + little_endian(0x81a40000u, 4) +
                 little_endian(static_cast<std::uint32_t>(zip.size()), 4) + name;
    zip += "PK\x03\x04" + common + name + text;
  }
  const auto count = static_cast<std::uint32_t>(members.size());
  return zip + directory + "PK\x05\x06" + little_endian(0, 4) + little_endian(count, 2) +
         little_endian(count, 2) + little_endian(static_cast<std::uint32_t>(directory.size()), 4) +
         little_endian(static_cast<std::uint32_t>(zip.size()), 4) + little_endian(0, 2);
}

/// "<name>-1.0-py3-none-any.whl" with one module; `recorded` is what RECORD claims the module
/// holds.
inline std::string tiny_wheel(const std::string& name, const std::string& module = "x = 1\n",
                              const std::string& recorded = "") {
  const std::string info = name + "-1.0.dist-info/";
  const std::string metadata = "Metadata-Version: 2.1\nName: " + name + "\nVersion: 1.0\n";
  const std::string wheel =
      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
  const auto row = [](const std::string& path, const std::string& text) {
    return path + ",sha256=" + to_base64url(sha256(text)) + "," + std::to_string(text.size()) +
           "\n";
  };
  const std::string record = row(name + ".py", recorded.empty() ? module : recorded) +
                             row(info + "METADATA", metadata) + row(info + "WHEEL", wheel) + info +
                             "RECORD,,\n";
  return stored_zip({{name + ".py", module},
                     {info + "METADATA", metadata},
                     {info + "WHEEL", wheel},
                     {info + "RECORD", record}});
}

inline WantedFile wanted_wheel(const std::string& project, const std::string& bytes) {
  return {.name = project + "-1.0-py3-none-any.whl",
          .source = "pypi",
          .path = {},
          .project = project,
          .size = bytes.size(),
          .digest = Digest::of(bytes),
          .is_wheel = true};
}

/// A file of the archive "debian"; its bytes need not be a package.
inline WantedFile wanted_deb(const std::string& path, const std::string& bytes) {
  return {.name = fs::path(path).filename(),
          .source = "debian",
          .path = path,
          .project = {},
          .size = bytes.size(),
          .digest = Digest::of(bytes),
          .is_wheel = false};
}

}  // namespace img::test
