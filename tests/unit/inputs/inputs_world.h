// SPDX-License-Identifier: Apache-2.0
// Files to open and errors to read, for the tests of inputs.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/inputs/wheel.h"
#include "tests/support/wheel_builder.h"

#include <memory>
#include <string>

namespace img::testing {

/// The whole text of the InputError that `body` throws; other kinds pass through.
template <typename Body>
std::string refusal(Body&& body) {
  try {
    body();
  } catch (const InputError& error) {
    return error.render();
  }
  return "nothing was thrown";
}

/// An open file with these bytes and no name.
inline std::shared_ptr<const InputFile> file_of(const std::string& bytes) {
  const TempDir folder(fs::temp_directory_path(), "inputs-test-");
  const fs::path path = folder.path() / "file";
  write_file(path, bytes);
  return InputFile::open(path);
}

inline Wheel open_wheel(const WheelParts& parts) {
  return Wheel::open(file_of(build_wheel(parts)), parts.file_name());
}

inline std::string wheel_refusal(const WheelParts& parts) {
  return refusal([&] { open_wheel(parts); });
}

inline std::string verify_refusal(const WheelParts& parts) {
  const Wheel wheel = open_wheel(parts);
  return refusal([&] { wheel.verify(); });
}

}  // namespace img::testing
