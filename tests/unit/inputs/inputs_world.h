// SPDX-License-Identifier: Apache-2.0
// Files to open and errors to read, for the tests of inputs.
#pragma once

#include "builder/base/error.h"
#include "builder/base/file.h"
#include "builder/inputs/wheel.h"
#include "tests/support/wheel_builder.h"

#include <memory>
#include <stdexcept>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

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

/// An open file with these bytes, in memory only.
inline std::shared_ptr<const InputFile> file_of(const std::string& bytes) {
  const Fd memory(memfd_create("inputs-test", MFD_CLOEXEC));
  if (write(memory.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    throw std::runtime_error("cannot write to a file in memory");
  }
  return InputFile::open("/proc/self/fd/" + std::to_string(memory.get()));
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
