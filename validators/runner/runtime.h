// SPDX-License-Identifier: Apache-2.0
// A program that starts a container from a bundle (runc, crun), or a fake of it in tests.
#pragma once

#include "builder/base/file.h"
#include "builder/base/json.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace img {

struct ContainerLimits {
  std::chrono::seconds timeout{60};
  std::uint64_t memory_bytes = 4ull << 30;
  std::uint64_t processes = 512;
  std::uint64_t stdout_bytes = 8ull << 20;
  std::uint64_t stderr_bytes = 1ull << 20;
};

struct ContainerEnd {
  enum class Kind {
    exited,
    signalled,
    timed_out,
    output_limit,
    not_started
  } kind = Kind::not_started;
  int exit_code = 0;
  std::string reason;
  std::string stdout_text, stderr_text;
  double seconds = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::string name() const = 0;  ///< "runc 1.1.5", for reports
  virtual bool rootless() const = 0;     ///< containers get a user namespace of one id
  /// Runs `<folder>/config.json` to its end; whatever happens, no process of the container is left.
  virtual ContainerEnd run(const fs::path& folder, const std::string& id,
                           const ContainerLimits& limits) = 0;
};

/// The machine's runtime, tried once with a tiny container; UnavailableError that says what is
/// missing and what to do. `wanted`: "runc", "crun", a path, or empty for the first that works.
std::unique_ptr<Runtime> find_runtime(const std::string& wanted = {});

}  // namespace img
