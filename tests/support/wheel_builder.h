// SPDX-License-Identifier: Apache-2.0
// Any wheel, the legal and the hostile: a zip with a dist-info whose every file can be replaced.
#pragma once

#include "builder/base/hash.h"
#include "builder/base/text.h"
#include "tests/support/zip_builder.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace img::testing {

inline std::string sha256_cell(std::string_view bytes) {
  return "sha256=" + to_base64url(sha256(bytes));
}

inline std::string record_line(const std::string& path, std::string_view bytes) {
  return path + "," + sha256_cell(bytes) + "," + std::to_string(bytes.size()) + "\n";
}

struct WheelParts {
  std::string distribution = "demo";
  std::string version = "1.0";
  std::vector<ZipEntry> files;  ///< before the dist-info
  std::string wheel =
      "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
  std::optional<std::string> metadata = {};
  std::optional<std::string> entry_points = {};
  std::optional<std::string> record = {};           ///< whole RECORD
  std::string record_more = {};                     ///< appended to the honest one
  std::vector<std::string> without = {};            ///< dist-info files to leave out, e.g. "WHEEL"
  std::function<void(ZipParts&)> change = nullptr;  ///< last word on the zip

  std::string info() const { return distribution + "-" + version + ".dist-info"; }
  std::string file_name() const { return distribution + "-" + version + "-py3-none-any.whl"; }
};

inline std::string build_wheel(const WheelParts& parts) {
  ZipParts zip{parts.files};
  const auto add = [&](const std::string& file, const std::string& text) {
    for (const std::string& name : parts.without) {
      if (name == file) return;
    }
    zip.entries.push_back({.name = parts.info() + "/" + file, .plain = text});
  };
  add("METADATA", parts.metadata.value_or("Metadata-Version: 2.1\nName: " + parts.distribution +
                                          "\nVersion: " + parts.version + "\n"));
  add("WHEEL", parts.wheel);
  if (parts.entry_points) add("entry_points.txt", *parts.entry_points);
  std::string record;
  for (const ZipEntry& entry : zip.entries) {
    if (!entry.name.ends_with('/')) record += record_line(entry.name, entry.plain);
  }
  record += parts.info() + "/RECORD,,\n" + parts.record_more;
  add("RECORD", parts.record.value_or(record));
  if (parts.change) parts.change(zip);
  return build_zip(zip);
}

}  // namespace img::testing
