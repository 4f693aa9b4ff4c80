// SPDX-License-Identifier: Apache-2.0
// A program that starts a container from a bundle (runc, crun), or a fake of it in tests.
#pragma once

#include "builder/base/file.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace img {

struct ContainerLimits {
  std::chrono::seconds timeout{60};
  std::uint64_t memory_bytes = 4ull << 30;
  std::uint64_t processes = 512;
  std::uint64_t stdout_bytes = 8ull << 20;
  std::uint64_t stderr_bytes = 1ull << 20;
};

/// One container that is ready to start.
struct ContainerStart {
  /// Holds config.json, whose root is the empty folder `rootfs` beside it. Belongs to this run: the
  /// runtime keeps its state and log there.
  fs::path folder;
  /// Folders of the layers, topmost first, at least two; relative ones start at `folder`. They
  /// become one read-only overlay on `rootfs` that only this container sees.
  std::vector<std::string> layers;
  std::string id;  ///< [a-z0-9-]+, unique on the machine
  ContainerLimits limits;
};

struct ContainerEnd {
  enum class Kind {
    exited,
    signalled,     ///< `exit_code` is 128 + signal
    timed_out,     ///< killed at its time limit
    output_limit,  ///< killed because it wrote more than it may
    not_started,   ///< `reason` says why, with what the runtime said
  } kind = Kind::not_started;
  int exit_code = 0;
  std::string reason;  ///< of timed_out, output_limit and not_started
  std::string hint;    ///< of not_started: what to do about it, or empty
  std::string stdout_text, stderr_text;
  double seconds = 0;           ///< wall clock, start of the runtime to the end of the last process
  std::int64_t started_ns = 0;  ///< CLOCK_MONOTONIC when the runtime was started
};

/// What this machine lets a runtime do.
struct RuntimeTraits {
  /// Not root: containers get a user namespace of one id. All files of the image then belong to
  /// whoever runs in it.
  bool rootless = false;
  bool cgroups = true;  ///< memory and processes are limited by a control group
  bool seccomp = true;  ///< dangerous system calls are filtered
};

class Runtime {
 public:
  virtual ~Runtime() = default;
  virtual std::string name() const = 0;  ///< "runc 1.1.5", for reports
  virtual RuntimeTraits traits() const = 0;
  bool rootless() const { return traits().rootless; }
  /// Runs `<folder>/config.json` to its end. Whatever happens, this process being killed included,
  /// no process, mount or namespace of the container is left.
  virtual ContainerEnd run(const ContainerStart& start) = 0;
};

/// What weakens the isolation of containers here, one sentence each, for reports: no control group,
/// no filter of system calls, one id for all files.
std::vector<std::string> weaknesses(const RuntimeTraits& traits);

/// The machine's runtime, tried once with a tiny container; UnavailableError that says what is
/// missing and what to do. `wanted`: "runc", "crun", a path, or empty for the first that works.
std::unique_ptr<Runtime> find_runtime(const std::string& wanted = {});

}  // namespace img
