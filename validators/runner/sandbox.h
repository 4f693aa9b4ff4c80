// SPDX-License-Identifier: Apache-2.0
// Starts a runtime in namespaces of its own, so that its end is the end of everything it started.
#pragma once

#include "builder/base/file.h"
#include "validators/runner/runtime.h"

#include <map>
#include <string>
#include <vector>

namespace img {

/// What runs in a sandbox: a program that sees its own processes only (pid namespace, /proc), whose
/// mounts nobody else sees, and which ends, with all its descendants, when it is told to or when
/// this process dies. Not a security border by itself: the container that the runtime makes is.
struct SandboxPlan {
  std::vector<std::string> argv;           ///< [0]: absolute path
  std::map<std::string, std::string> env;  ///< the whole environment
  fs::path folder;                         ///< working folder; overlay is mounted on its `rootfs`
  std::vector<std::string> layers;         ///< topmost first; relative to `folder`
  bool user_namespace = false;             ///< for whoever is not root: become root in one
  ContainerLimits limits;                  ///< time and output
};

/// Runs to the end. `not_started`: a step of the preparation failed, `reason` names it; what the
/// program itself did is told by `exit_code`. InterruptedError passes through (nothing is left
/// running then either).
ContainerEnd run_in_sandbox(const SandboxPlan& plan);

}  // namespace img
